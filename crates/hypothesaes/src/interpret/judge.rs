//! The validation texts on which a model judges wordings: few, chosen once, in two halves.
//!
//! What is chosen on one half is reported on the other. All neurons share the texts that do not
//! fire them, so that one call asks about many wordings.

use std::collections::BTreeMap;

use hypothesaes_math::random::{permutation, stream};

use super::fidelity::{Fidelity, column};
use super::{InterpretOptions, Material, Mistakes};
use crate::Result;
use crate::annotate::{Annotate, Annotations};
use crate::data::Texts;
use crate::watch::Watch;

/// Texts of each kind that an interpreter is shown as mistakes.
const SHOWN: usize = 8;

/// A half of the validation texts, and what of it is asked for each neuron.
pub(super) struct Half {
    /// One per chosen neuron.
    samples: Vec<Sample>,
}

/// Validation texts for one neuron, and how many they stand for.
struct Sample {
    neuron: usize,
    rows: Vec<usize>,
    activations: Vec<f32>,
    n_firing: usize,
    n_silent: usize,
}

/// What annotations say of a wording.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// On all sampled texts.
    pub fidelity: Fidelity,
    /// On those whose mistakes may be shown, and on those kept back for agreement.
    pub shown: Fidelity,
    pub kept_back: Fidelity,
    annotations: Vec<Option<bool>>,
}

/// The half to choose on and the half to report; without a choice all texts are for the report.
pub(super) fn halves(
    material: &Material,
    options: &InterpretOptions,
    seed: u64,
    is_chosen: bool,
) -> (Half, Half) {
    let order = permutation(material.validation.len(), &mut stream(seed, "fidelity"));
    let rows: Vec<usize> = order.into_iter().map(|i| material.validation[i]).collect();
    let n_choose = if is_chosen { rows.len() / 2 } else { 0 };
    let (choose, report) = rows.split_at(n_choose);
    (Half::new(material, choose, options), Half::new(material, report, options))
}

impl Half {
    /// `rows` in random order: its first texts are a random sample of them.
    fn new(material: &Material, rows: &[usize], options: &InterpretOptions) -> Self {
        let sample = |&neuron: &usize| {
            let z = column(material.z, neuron, rows);
            let firing = (0..rows.len()).filter(|&i| z[i] > 0.0);
            // The silent ones are those of a few texts that all neurons share.
            let shared = rows.len().min(options.fidelity_silent);
            let mut places: Vec<usize> = firing.clone().take(options.fidelity_firing).collect();
            places.extend((0..shared).filter(|&i| z[i] <= 0.0));
            let n_firing = firing.count();
            Sample {
                neuron,
                rows: places.iter().map(|&i| rows[i]).collect(),
                activations: places.iter().map(|&i| z[i]).collect(),
                n_firing,
                n_silent: rows.len() - n_firing,
            }
        };
        Self { samples: material.chosen.iter().map(sample).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.samples.iter().all(|sample| sample.rows.is_empty())
    }

    /// What the annotator says of wordings, each for the neuron at its place.
    pub fn judge(
        &self,
        wordings: &[(usize, &str)],
        texts: &Texts,
        annotator: &dyn Annotate,
        watch: &dyn Watch,
    ) -> Result<Vec<Judged>> {
        let mut place_of = BTreeMap::new();
        for &(neuron, _) in wordings {
            place_of.extend(self.samples[neuron].rows.iter().map(|&row| (row, 0)));
        }
        for (place, at) in place_of.values_mut().enumerate() {
            *at = place;
        }
        let rows: Vec<usize> = place_of.keys().copied().collect();
        let mut wanted = vec![vec![false; rows.len()]; wordings.len()];
        for (wanted, &(neuron, _)) in wanted.iter_mut().zip(wordings) {
            for row in &self.samples[neuron].rows {
                wanted[place_of[row]] = true;
            }
        }
        let concepts: Vec<String> = wordings.iter().map(|(_, w)| (*w).to_owned()).collect();
        let n_wanted = wanted.iter().flatten().filter(|wanted| **wanted).count();
        watch.begin("fidelity", n_wanted as u64, "answers");
        let annotations = annotator.annotate_where(
            &concepts,
            &texts.gather(&rows),
            &|c, t| wanted[c][t],
            watch,
        )?;
        watch.end(&format!("{} wordings, {} texts", wordings.len(), rows.len()));
        let judged = wordings.iter().enumerate().map(|(c, &(neuron, _))| {
            let places = self.samples[neuron].rows.iter().map(|row| place_of[row]);
            self.samples[neuron].judged(c, places, &annotations)
        });
        Ok(judged.collect())
    }

    /// The mistakes of a wording on the texts that may be shown; `None` if it made none.
    pub fn mistakes<'a>(
        &self,
        neuron: usize,
        concept: &'a str,
        judged: &Judged,
        texts: &'a Texts,
    ) -> Option<Mistakes<'a>> {
        let sample = &self.samples[neuron];
        let places = (0..sample.rows.len()).filter(|i| i % 2 == 0);
        let wrong = |says: bool| {
            let wrong = places.clone().filter(move |&i| {
                (sample.activations[i] > 0.0) != says && judged.annotations[i] == Some(says)
            });
            let mut wrong: Vec<usize> = wrong.collect();
            wrong.sort_by(|&a, &b| sample.activations[b].total_cmp(&sample.activations[a]));
            wrong.into_iter().take(SHOWN).map(|i| texts.get(sample.rows[i])).collect::<Vec<_>>()
        };
        let (missed, false_alarms) = (wrong(false), wrong(true));
        let is_right = missed.is_empty() && false_alarms.is_empty();
        (!is_right).then_some(Mistakes { concept, missed, false_alarms })
    }
}

impl Sample {
    fn judged(
        &self,
        concept: usize,
        places: impl Iterator<Item = usize>,
        annotations: &Annotations,
    ) -> Judged {
        let column = annotations.concept(concept);
        let says: Vec<Option<bool>> = places.map(|place| column[place]).collect();
        let part = |of: fn(usize) -> bool| {
            let places: Vec<usize> = (0..says.len()).filter(|&i| of(i)).collect();
            let z: Vec<f32> = places.iter().map(|&i| self.activations[i]).collect();
            let says: Vec<Option<bool>> = places.iter().map(|&i| says[i]).collect();
            Fidelity::of_sample(&z, &says, self.n_firing, self.n_silent)
        };
        Judged {
            fidelity: part(|_| true),
            shown: part(|i| i % 2 == 0),
            kept_back: part(|i| i % 2 == 1),
            annotations: says,
        }
    }
}

/// For progress and messages.
impl std::fmt::Debug for Half {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sizes = self.samples.iter().map(|s| (s.neuron, s.rows.len()));
        f.debug_map().entries(sizes).finish()
    }
}
