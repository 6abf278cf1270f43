//! How well a concept matches its neuron, on texts that took no part in choosing it.

use hypothesaes_math::Activations;
use serde::{Deserialize, Serialize};

use super::{Labelled, Material};
use crate::Result;
use crate::annotate::Annotate;
use crate::watch::Watch;

/// Agreement of an annotation with the firing of a neuron; `None` where it has no meaning, such as
/// the recall of a neuron that fires on none of the texts.
///
/// The balanced figures weigh the texts that fire and those that do not as if there were equally
/// many of them; the others weigh every text alike, as it occurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Fidelity {
    /// Texts with an annotation.
    pub n: usize,
    /// Those that fire the neuron.
    pub n_firing: usize,
    /// Those of which the concept is true.
    pub n_true: usize,
    /// Texts whose annotation is missing; they count nowhere else.
    pub n_missing: usize,
    /// Share of the texts the concept is true of that fire.
    pub precision: Option<f64>,
    /// Share of the texts that fire that the concept is true of. Balancing does not change it.
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: Option<f64>,
    /// Pearson correlation of annotation and activation.
    pub correlation: Option<f64>,
    pub balanced_precision: Option<f64>,
    pub balanced_f1: Option<f64>,
    pub balanced_correlation: Option<f64>,
}

impl Fidelity {
    /// From the activations of a neuron and the annotations of the same texts, each of which stands
    /// for itself. O(texts).
    #[must_use]
    pub fn new(activations: &[f32], annotations: &[Option<bool>]) -> Self {
        Self::with(activations, annotations, |_, _| (1.0, 1.0))
    }

    /// From a sample that has other shares of texts that fire and that do not than the `n_firing`
    /// and `n_silent` texts it stands for: each kind is weighed up to its number.
    #[must_use]
    pub fn of_sample(
        activations: &[f32],
        annotations: &[Option<bool>],
        n_firing: usize,
        n_silent: usize,
    ) -> Self {
        Self::with(activations, annotations, |firing, silent| {
            (n_firing as f64 / firing as f64, n_silent as f64 / silent as f64)
        })
    }

    /// `weights` of a text that fires and of one that does not, from how many of each there are.
    fn with(
        activations: &[f32],
        annotations: &[Option<bool>],
        weights: impl Fn(usize, usize) -> (f64, f64),
    ) -> Self {
        let judged: Vec<(f64, bool)> = activations
            .iter()
            .zip(annotations)
            .filter_map(|(&z, says)| says.map(|says| (f64::from(z), says)))
            .collect();
        let count = |of: fn(&(f64, bool)) -> bool| judged.iter().filter(|t| of(t)).count();
        let n_firing = count(|t| t.0 > 0.0);
        let n_true = count(|t| t.1);
        let hits = count(|t| t.0 > 0.0 && t.1);
        let n_silent = judged.len() - n_firing;
        let (fires, silent) = weights(n_firing, n_silent);
        // A kind of which there is no text weighs nothing.
        let weighed = |n: usize, weight: f64| if n == 0 { 0.0 } else { n as f64 * weight };
        let (hits_w, alarms_w) = (weighed(hits, fires), weighed(n_true - hits, silent));
        let precision = (hits_w + alarms_w > 0.0).then(|| hits_w / (hits_w + alarms_w));
        let recall = ratio(hits, n_firing);
        let balanced_precision = recall
            .zip(ratio(n_true - hits, n_silent))
            .and_then(|(hit, alarm)| (hit + alarm > 0.0).then(|| hit / (hit + alarm)));
        let balance = |z: f64| 1.0 / if z > 0.0 { n_firing as f64 } else { n_silent as f64 };
        Self {
            n: judged.len(),
            n_firing,
            n_true,
            n_missing: annotations.len() - judged.len(),
            precision,
            recall,
            f1: f1(precision, recall),
            correlation: correlation(&judged, |z| if z > 0.0 { fires } else { silent }),
            balanced_precision,
            balanced_f1: f1(balanced_precision, recall),
            balanced_correlation: correlation(&judged, balance),
        }
    }
}

/// Fills in the fidelity of every label on all validation texts.
pub(super) fn measure(
    labelled: &mut [Labelled],
    material: &Material,
    annotator: &dyn Annotate,
    watch: &dyn Watch,
) -> Result<()> {
    let labels: Vec<&mut Labelled> = labelled.iter_mut().filter(|l| l.concept.is_some()).collect();
    if material.validation.is_empty() || labels.is_empty() {
        return Ok(());
    }
    let concepts: Vec<String> = labels.iter().filter_map(|label| label.concept.clone()).collect();
    let texts = material.texts.gather(material.validation);
    let annotations = annotator.annotate(&concepts, &texts, watch)?;
    hypothesaes_math::Error::check_len("concepts", annotations.n_concepts(), concepts.len())?;
    hypothesaes_math::Error::check_len("texts", annotations.n_texts(), texts.len())?;
    for (c, label) in labels.into_iter().enumerate() {
        let z = column(material.z, label.neuron, material.validation);
        label.fidelity = Some(Fidelity::new(&z, annotations.concept(c)));
    }
    Ok(())
}

pub(super) fn column(z: &Activations, neuron: usize, rows: &[usize]) -> Vec<f32> {
    let value = |&row: &usize| z.pairs(row).find(|&(j, _)| j == neuron).map_or(0.0, |(_, v)| v);
    rows.iter().map(value).collect()
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn f1(precision: Option<f64>, recall: Option<f64>) -> Option<f64> {
    let (precision, recall) = precision.zip(recall)?;
    let sum = precision + recall;
    Some(if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 })
}

/// Weighted Pearson correlation; `None` if one side is constant.
fn correlation(texts: &[(f64, bool)], weight: impl Fn(f64) -> f64) -> Option<f64> {
    let of = |value: &dyn Fn(f64, f64) -> f64| -> f64 {
        texts.iter().map(|&(z, says)| weight(z) * value(z, f64::from(u8::from(says)))).sum()
    };
    let total = of(&|_, _| 1.0);
    let (mean_z, mean_says) = (of(&|z, _| z) / total, of(&|_, says| says) / total);
    let covariance = of(&|z, says| (z - mean_z) * (says - mean_says));
    let squares = of(&|z, _| (z - mean_z).powi(2)) * of(&|_, says| (says - mean_says).powi(2));
    (squares > 0.0).then(|| (covariance / squares.sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    fn close(got: Option<f64>, expected: f64) {
        let got = got.unwrap();
        assert!((got - expected).abs() < 1e-12, "{got} {expected}");
    }

    /// 2 of 10 texts fire; the concept finds one of them, and 2 of the 8 others.
    fn fidelity() -> Fidelity {
        let mut z = [0.0; 10];
        (z[0], z[1]) = (1.0, 3.0);
        let mut says = [NO; 10];
        (says[1], says[2], says[3]) = (YES, YES, YES);
        Fidelity::new(&z, &says)
    }

    #[test]
    fn figures_by_hand() {
        let got = fidelity();
        assert_eq!((got.n, got.n_firing, got.n_true, got.n_missing), (10, 2, 3, 0));
        close(got.precision, 1.0 / 3.0);
        close(got.recall, 0.5);
        close(got.f1, 0.4);
        // mean z 0.4, mean says 0.3: (3 - 10 * 0.4 * 0.3) / sqrt((10 - 1.6) * (3 - 0.9)).
        close(got.correlation, 1.8 / (8.4_f64 * 2.1).sqrt());
    }

    #[test]
    fn trap_29_balanced_and_prevalence_weighted_figures_differ_and_both_are_given() {
        let got = fidelity();
        close(got.balanced_precision, 0.5 / 0.75);
        close(got.balanced_f1, 2.0 * 0.5 * (2.0 / 3.0) / (0.5 + 2.0 / 3.0));
        // Weights 1/2 and 1/8: mean z 1, mean says 3/8 over a total of 2.
        let (covariance, z, says) = (1.5 - 2.0 * 0.375, 5.0 - 2.0, 0.75 - 2.0 * 0.375_f64.powi(2));
        close(got.balanced_correlation, covariance / (z * says).sqrt());
    }

    #[test]
    fn balance_changes_nothing_where_as_many_texts_fire_as_not() {
        let got = Fidelity::new(&[1.0, 2.0, 0.0, 0.0], &[YES, NO, YES, NO]);
        assert_eq!(got.precision, got.balanced_precision);
        assert_eq!(got.f1, got.balanced_f1);
        close(got.balanced_correlation, got.correlation.unwrap());
    }

    #[test]
    fn trap_20_missing_annotations_are_counted_and_left_out() {
        let got = Fidelity::new(&[1.0, 0.0, 2.0, 0.0], &[YES, NO, None, None]);
        assert_eq!((got.n, got.n_missing), (2, 2));
        close(got.correlation, 1.0);
    }

    #[test]
    fn a_sample_is_weighed_up_to_what_it_stands_for() {
        // Of 4 firing texts half are sampled, of 30 silent ones a third: each counts so often.
        let (z, says) = ([1.0, 2.0, 0.0, 0.0, 0.0], [YES, NO, YES, NO, NO]);
        let mut all = (Vec::new(), Vec::new());
        for (&z, says) in z.iter().zip(says) {
            let times = if z > 0.0 { 2 } else { 10 };
            all.0.extend(vec![z; times]);
            all.1.extend(vec![says; times]);
        }
        let (sampled, whole) =
            (Fidelity::of_sample(&z, &says, 4, 30), Fidelity::new(&all.0, &all.1));
        close(sampled.precision, whole.precision.unwrap());
        close(sampled.f1, whole.f1.unwrap());
        close(sampled.correlation, whole.correlation.unwrap());
        close(sampled.balanced_f1, whole.balanced_f1.unwrap());
        assert_eq!((sampled.n, sampled.n_firing), (5, 2));
    }

    #[test]
    fn what_has_no_meaning_is_missing() {
        let none = Fidelity::new(&[], &[]);
        assert_eq!((none.precision, none.recall, none.correlation), (None, None, None));
        let never = Fidelity::new(&[0.0, 0.0], &[YES, NO]);
        assert_eq!((never.recall, never.f1, never.correlation), (None, None, None));
        close(never.precision, 0.0);
        let always = Fidelity::new(&[1.0, 2.0], &[NO, NO]);
        assert_eq!((always.precision, always.balanced_precision, always.f1), (None, None, None));
        close(always.recall, 0.0);
    }
}
