//! A rule for a neuron: the few phrases to which the texts that fire it come closest in meaning.
//!
//! In go vectors of texts and of phrases, out come phrases and how close a text must come.

use hypothesaes_math::Matrix;
use hypothesaes_math::vector::{axpy, dot, normalise};

use super::evidence::Evidence;
use super::rule::{Cover, LEAST_GAIN};
use crate::annotate::Closeness;

/// How many phrases, nearest to the neuron, are tried.
const CANDIDATES: usize = 60;
/// Shares of the texts between which a rule holds.
const LEAST_SHARE: f64 = 0.02;
const LARGEST_SHARE: f64 = 0.6;
/// Closenesses in thousandths, -1000 to 1000.
const STEPS: usize = 2001;

/// Phrases with vectors.
pub(super) struct Phrases {
    /// A row for each, of length 1.
    x: Matrix,
    /// The same less their mean, of length 1: what a phrase means beyond what all do.
    apart: Matrix,
}

/// A rule: phrases, by number, and the least mean cosine.
pub(super) struct Near {
    pub(super) phrases: Vec<usize>,
    pub(super) least: Closeness,
}

impl Phrases {
    pub(super) fn new(x: Matrix) -> Self {
        let mut mean = vec![0.0; x.cols()];
        (0..x.rows()).for_each(|i| axpy(&mut mean, 1.0 / x.rows() as f32, x.row(i)));
        let mut apart = x.clone();
        for i in 0..apart.rows() {
            axpy(apart.row_mut(i), -1.0, &mean);
            normalise(apart.row_mut(i));
        }
        Self { x, apart }
    }

    /// The phrases that point most in this direction, best first, the earlier of equals.
    fn towards(&self, direction: &[f32]) -> Vec<usize> {
        let mut ranked: Vec<(usize, f32)> = (0..self.apart.rows())
            .map(|i| (i, dot(self.apart.row(i), direction)))
            .filter(|(_, along)| *along > 0.0)
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(CANDIDATES);
        ranked.into_iter().map(|(i, _)| i).collect()
    }
}

/// At most `most` phrases, in the order in which they were added; a text fits the rule if the mean of
/// its cosines with them is large enough. `None` if no rule agrees with the neuron.
///
/// The direction of the neuron is the mean vector of the texts, weighted by activation, less that of
/// all texts. The 60 phrases that point most towards it are tried. Greedily, the phrase is added that,
/// with the best threshold, most raises the agreement with the square root of the activation that
/// [`super::rule::rule`] goes by. O(`most` x 60 x texts).
pub(super) fn near<'v>(
    evidence: &Evidence,
    vector: impl Fn(usize) -> &'v [f32],
    phrases: &Phrases,
    most: usize,
) -> Option<Near> {
    let candidates = phrases.towards(&direction(evidence, &vector, phrases.x.cols()));
    let cosines = |&c: &usize| -> Vec<f32> {
        evidence.texts.iter().map(|t| dot(vector(t.text), phrases.x.row(c))).collect()
    };
    let cosines: Vec<Vec<f32>> = candidates.iter().map(cosines).collect();
    let target = evidence.activation();
    let mut sum = vec![0.0; target.len()];
    let mut taken: Vec<usize> = Vec::new();
    let mut best: Option<(f64, Closeness)> = None;
    while taken.len() < most {
        let free = (0..candidates.len()).filter(|c| !taken.contains(c));
        let share = 1.0 / (taken.len() + 1) as f32;
        let wider = free.filter_map(|c| {
            let mean = sum.iter().zip(&cosines[c]).map(|(s, v)| Closeness::of((s + v) * share));
            let (agreement, least) = threshold(evidence, mean, &target)?;
            Some((c, agreement, least))
        });
        let Some((c, agreement, least)) = wider.reduce(|a, b| if b.1 > a.1 { b } else { a }) else {
            break;
        };
        if agreement <= best.map_or(0.0, |(before, _)| before * (1.0 + LEAST_GAIN)) {
            break;
        }
        axpy(&mut sum, 1.0, &cosines[c]);
        taken.push(c);
        best = Some((agreement, least));
    }
    let phrases = taken.into_iter().map(|c| candidates[c]).collect();
    best.map(|(_, least)| Near { phrases, least })
}

/// Whether each text of `evidence` is close enough.
pub(super) fn fits<'v>(
    rule: &Near,
    evidence: &Evidence,
    vector: impl Fn(usize) -> &'v [f32],
    phrases: &Phrases,
) -> Vec<bool> {
    let share = 1.0 / rule.phrases.len() as f32;
    let mut centre = vec![0.0; phrases.x.cols()];
    rule.phrases.iter().for_each(|&i| axpy(&mut centre, share, phrases.x.row(i)));
    let texts = evidence.texts.iter();
    texts.map(|t| Closeness::of(dot(vector(t.text), &centre)) >= rule.least).collect()
}

/// Where the texts that fire the neuron lie, seen from all texts.
fn direction<'v>(evidence: &Evidence, vector: impl Fn(usize) -> &'v [f32], dim: usize) -> Vec<f32> {
    let (mut of_neuron, mut of_all) = (0.0, 0.0);
    for t in &evidence.texts {
        of_neuron += t.weight * t.activation;
        of_all += t.weight;
    }
    let mut direction = vec![0.0; dim];
    for t in &evidence.texts {
        let share = t.weight * t.activation / of_neuron - t.weight / of_all;
        #[expect(clippy::cast_possible_truncation, reason = "vectors are f32")]
        axpy(&mut direction, share as f32, vector(t.text));
    }
    direction
}

/// The least closeness with which a rule agrees most with the target, the highest of equals.
fn threshold(
    evidence: &Evidence,
    closeness: impl Iterator<Item = Closeness>,
    target: &[f64],
) -> Option<(f64, Closeness)> {
    let mut at = vec![Cover::default(); STEPS];
    let mut closenesses = vec![None; STEPS];
    for ((closeness, t), target) in closeness.zip(&evidence.texts).zip(target) {
        let step = (i32::from(closeness.thousandths()) + 1000).unsigned_abs() as usize;
        closenesses[step] = Some(closeness);
        at[step].weight += t.weight;
        at[step].product += t.weight * target;
    }
    let (total, mut cover) = (evidence.weight(), Cover::default());
    let mut best: Option<(f64, Closeness)> = None;
    for (step, closeness) in at.into_iter().zip(closenesses).rev() {
        let Some(closeness) = closeness else { continue };
        cover.weight += step.weight;
        cover.product += step.product;
        if !(LEAST_SHARE..=LARGEST_SHARE).contains(&(cover.weight / total)) {
            continue;
        }
        let agreement = cover.agreement(total)?;
        if best.is_none_or(|(before, _)| agreement > before) {
            best = Some((agreement, closeness));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpret::evidence::Sampled;
    use crate::interpret::sample::Half;

    /// Texts with their activations, as vectors in the plane; phrases as the same.
    fn check(
        texts: &[([f32; 2], f64)],
        phrases: &[[f32; 2]],
        most: usize,
    ) -> Option<(Near, Vec<bool>)> {
        let matrix = |rows: Vec<[f32; 2]>| {
            let mut x = Matrix::from_vec(rows.len(), 2, rows.concat()).unwrap();
            (0..x.rows()).for_each(|i| normalise(x.row_mut(i)));
            x
        };
        let x = matrix(texts.iter().map(|t| t.0).collect());
        let phrases = Phrases::new(matrix(phrases.to_vec()));
        let sampled = texts.iter().enumerate().map(|(text, &(_, activation))| {
            let half = if text % 2 == 0 { Half::First } else { Half::Second };
            Sampled { text, activation, weight: 1.0, half }
        });
        let evidence = Evidence { texts: sampled.collect() };
        let rule = near(&evidence, |i| x.row(i), &phrases, most)?;
        let fits = fits(&rule, &evidence, |i| x.row(i), &phrases);
        Some((rule, fits))
    }

    const TEXTS: [([f32; 2], f64); 6] = [
        ([1.0, 0.1], 2.0),
        ([1.0, -0.1], 1.5),
        ([0.1, 1.0], 0.0),
        ([-0.1, 1.0], 0.0),
        ([0.0, 1.0], 0.0),
        ([-1.0, 0.3], 0.0),
    ];

    #[test]
    fn the_phrase_that_means_what_fires_it_is_found() {
        let (rule, fits) = check(&TEXTS, &[[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0]], 3).unwrap();
        assert_eq!(rule.phrases, [1]);
        assert_eq!(fits, TEXTS.map(|(_, activation)| activation > 0.0));
    }

    #[test]
    fn a_second_phrase_is_added_if_it_helps() {
        // The texts that fire it lie between two phrases, those that do not beyond one of them.
        let texts = [[1.0, 0.1], [1.0, -0.1], [0.1, 1.0], [0.1, -1.0], [0.0, 1.0], [0.0, -1.0]]
            .into_iter()
            .zip(TEXTS.map(|(_, activation)| activation))
            .collect::<Vec<_>>();
        let phrases = [[0.5, 1.0], [0.5, -1.0], [-1.0, 0.2]];
        let (rule, fits) = check(&texts, &phrases, 3).unwrap();
        assert_eq!(rule.phrases.len(), 2);
        assert_eq!(fits, TEXTS.map(|(_, activation)| activation > 0.0));
        let (rule, _) = check(&texts, &phrases, 1).unwrap();
        assert_eq!(rule.phrases.len(), 1);
    }

    #[test]
    fn nothing_is_found_where_nothing_is_near() {
        assert!(
            check(&TEXTS, &[[1.0, 0.0]], 3).is_none(),
            "a phrase alone means nothing beyond all"
        );
        let silent = TEXTS.map(|(vector, _)| (vector, 0.0));
        assert!(check(&silent, &[[0.0, 1.0], [1.0, 0.0]], 3).is_none());
    }
}
