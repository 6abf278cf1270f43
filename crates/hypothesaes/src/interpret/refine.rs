//! The choice among a model's wordings, and their mending.
//!
//! Wordings are chosen and mended on one half of the validation texts and reported on the other. A
//! mended wording is kept if it is better on the texts whose mistakes were shown and no worse on
//! texts of the same half that were not.

use super::judge::{Half, Judged, halves};
use super::{Interpret, InterpretOptions, Labelled, Material, Tried};
use crate::Result;
use crate::annotate::Annotate;
use crate::watch::Watch;

/// Rounds of mending if the user leaves it open and the budget allows it.
pub(crate) const ROUNDS: usize = 2;

/// Chooses a wording for every neuron among its `candidates`, mends it, and measures it.
pub(super) fn choose(
    labelled: &mut [Labelled],
    candidates: &[Vec<String>],
    material: &Material,
    options: &InterpretOptions,
    seed: u64,
    (interpreter, annotator): (&dyn Interpret, &dyn Annotate),
    watch: &dyn Watch,
) -> Result<()> {
    let rounds = options.refine.unwrap_or(0);
    let is_chosen = rounds > 0 || candidates.iter().any(|c| c.len() > 1);
    let (half, report) = halves(material, options, seed, is_chosen);
    if is_chosen && !half.is_empty() {
        let judging = Judging { half: &half, material, annotator, watch };
        let mut best = judging.first(labelled, candidates)?;
        for round in 1..=rounds {
            let mended = judging.mend(labelled, &mut best, interpreter, round)?;
            watch.say(&format!("refinement {round}: {mended} wordings are better than before"));
            if mended == 0 {
                break;
            }
        }
        for (label, best) in labelled.iter_mut().zip(&best) {
            let kept = best.as_ref().map(|(wording, _)| wording.as_str());
            for tried in &mut label.wordings {
                tried.is_kept = Some(tried.concept.as_str()) == kept;
            }
        }
    }
    measure(labelled, &report, material, annotator, watch)
}

/// What a choice rests on.
struct Judging<'a> {
    half: &'a Half,
    material: &'a Material<'a>,
    annotator: &'a dyn Annotate,
    watch: &'a dyn Watch,
}

/// The best wording of each neuron so far; `None` for one without a label.
type Best = Vec<Option<(String, Judged)>>;

impl Judging<'_> {
    /// The best of the candidates.
    fn first(&self, labelled: &mut [Labelled], candidates: &[Vec<String>]) -> Result<Best> {
        let wordings: Vec<(usize, &str)> = candidates
            .iter()
            .enumerate()
            .flat_map(|(place, all)| all.iter().map(move |concept| (place, concept.as_str())))
            .collect();
        let judged = self.judge(&wordings)?;
        let mut best: Best = vec![None; labelled.len()];
        for (&(place, concept), judged) in wordings.iter().zip(judged) {
            labelled[place].try_out(concept, 0, &judged);
            let is_better =
                best[place].as_ref().is_none_or(|(_, b)| f1(&judged.fidelity) > f1(&b.fidelity));
            if is_better {
                labelled[place].concept = Some(concept.to_owned());
                best[place] = Some((concept.to_owned(), judged));
            }
        }
        Ok(best)
    }

    /// One round; how many wordings became better.
    fn mend(
        &self,
        labelled: &mut [Labelled],
        best: &mut Best,
        interpreter: &dyn Interpret,
        round: usize,
    ) -> Result<usize> {
        let (mut places, mut mistakes) = (Vec::new(), Vec::new());
        for (place, best) in best.iter().enumerate() {
            let Some((concept, judged)) = best else { continue };
            if let Some(found) = self.half.mistakes(place, concept, judged, self.material.texts) {
                places.push(place);
                mistakes.push(found);
            }
        }
        self.watch.begin("refine", places.len() as u64, "wordings");
        let mended = interpreter.mend(&mistakes, self.watch)?;
        self.watch.end(&format!("{} wordings with mistakes", places.len()));
        let new: Vec<(usize, String)> = places
            .into_iter()
            .zip(mended)
            .filter_map(|(place, mended)| Some((place, mended?)))
            .filter(|(place, concept)| {
                labelled[*place].wordings.iter().all(|t| t.concept != *concept)
            })
            .collect();
        let wordings: Vec<(usize, &str)> = new.iter().map(|(p, c)| (*p, c.as_str())).collect();
        let judged = self.judge(&wordings)?;
        let mut n_better = 0;
        for ((place, concept), judged) in new.into_iter().zip(judged) {
            labelled[place].try_out(&concept, round, &judged);
            let Some((_, before)) = &best[place] else { continue };
            let is_better = f1(&judged.shown) > f1(&before.shown)
                && f1(&judged.kept_back) >= f1(&before.kept_back);
            if is_better {
                n_better += 1;
                labelled[place].concept = Some(concept.clone());
                best[place] = Some((concept, judged));
            }
        }
        Ok(n_better)
    }

    fn judge(&self, wordings: &[(usize, &str)]) -> Result<Vec<Judged>> {
        if wordings.is_empty() {
            return Ok(Vec::new());
        }
        self.half.judge(wordings, self.material.texts, self.annotator, self.watch)
    }
}

impl Labelled {
    fn try_out(&mut self, concept: &str, round: usize, judged: &Judged) {
        let balanced_f1 = judged.fidelity.balanced_f1;
        self.wordings.push(Tried { concept: concept.into(), round, balanced_f1, is_kept: false });
    }
}

/// Fills in the fidelity of every label on the half that no choice rests on.
fn measure(
    labelled: &mut [Labelled],
    report: &Half,
    material: &Material,
    annotator: &dyn Annotate,
    watch: &dyn Watch,
) -> Result<()> {
    let concepts: Vec<(usize, String)> = labelled
        .iter()
        .enumerate()
        .filter_map(|(place, l)| Some((place, l.concept.clone()?)))
        .collect();
    if concepts.is_empty() || report.is_empty() {
        return Ok(());
    }
    let wordings: Vec<(usize, &str)> = concepts.iter().map(|(p, c)| (*p, c.as_str())).collect();
    let judged = report.judge(&wordings, material.texts, annotator, watch)?;
    for ((place, _), judged) in concepts.iter().zip(judged) {
        labelled[*place].fidelity = Some(judged.fidelity);
    }
    Ok(())
}

/// What wordings are compared by; one that cannot be judged is the worst.
fn f1(fidelity: &super::Fidelity) -> f64 {
    fidelity.balanced_f1.unwrap_or(-1.0)
}
