//! Which texts a model is shown of a neuron.

use hypothesaes_math::random::{permutation, stream};
use hypothesaes_math::vector::dot;

use crate::interpret::sample::{Example, NeuronExamples};
use crate::interpret::{InterpretOptions, Sampling};

/// Texts that fire a neuron, and texts that do not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown<'t> {
    pub positives: Vec<&'t str>,
    pub negatives: Vec<&'t str>,
}

/// The texts for one candidate; another candidate is shown others, as far as there are any.
pub(super) fn shown<'t>(
    neuron: &NeuronExamples<'t>,
    options: &InterpretOptions,
    seed: u64,
    candidate: usize,
) -> Shown<'t> {
    let name = format!("interpret shown {} {candidate}", neuron.neuron);
    let mut stream = stream(seed, &name);
    let n = (options.n_examples / 2).max(1);
    let (mut firing, silent): (Vec<Example>, Vec<Example>) =
        neuron.examples.iter().partition(|e| e.activation > 0.0);
    firing.sort_by(|a, b| b.activation.total_cmp(&a.activation).then(a.row.cmp(&b.row)));
    let pool = match options.sampling {
        // Other candidates draw from twice as many, so that they differ.
        Sampling::Top if candidate == 0 => &firing[..firing.len().min(n)],
        Sampling::Top => &firing[..firing.len().min(2 * n)],
        Sampling::Quantiles => between(&firing, options.quantile_low, options.quantile_high),
    };
    let order = permutation(pool.len(), &mut stream);
    let positives: Vec<Example> = order.into_iter().take(n).map(|i| pool[i]).collect();
    let order = permutation(silent.len(), &mut stream);
    let n_hard = share(options.hard_negatives, n);
    let mut negatives = nearest(neuron, &positives, &silent, n_hard);
    for i in order {
        if negatives.len() >= n {
            break;
        }
        if !negatives.contains(&silent[i]) {
            negatives.push(silent[i]);
        }
    }
    let text = |e: &Example| neuron.texts.get(e.row);
    Shown {
        positives: positives.iter().map(text).collect(),
        negatives: negatives.iter().map(text).collect(),
    }
}

/// The part of `firing`, strongest first, between two percentiles counted from the weakest.
fn between(firing: &[Example], low: f64, high: f64) -> &[Example] {
    let (from, to) =
        (share(1.0 - high / 100.0, firing.len()), share(1.0 - low / 100.0, firing.len()));
    // A neuron that fires seldom still shows something.
    let to = to.max(from + 1).min(firing.len());
    &firing[from.min(to.saturating_sub(1))..to]
}

/// The `n` of `silent` whose vectors are nearest to the mean of the positives'.
fn nearest(
    neuron: &NeuronExamples,
    positives: &[Example],
    silent: &[Example],
    n: usize,
) -> Vec<Example> {
    let Some(x) = neuron.vectors else { return Vec::new() };
    if n == 0 {
        return Vec::new();
    }
    let mut mean = vec![0.0; x.cols()];
    for example in positives {
        hypothesaes_math::vector::axpy(&mut mean, 1.0, x.row(example.row));
    }
    let mut near: Vec<(f32, Example)> =
        silent.iter().map(|e| (dot(&mean, x.row(e.row)), *e)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.row.cmp(&b.1.row)));
    near.into_iter().take(n).map(|(_, example)| example).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of n")]
fn share(part: f64, n: usize) -> usize {
    (part.clamp(0.0, 1.0) * n as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Texts;
    use crate::interpret::sample::{Half, Strength};
    use hypothesaes_math::Matrix;

    /// 40 texts; the first 20 fire, the earlier the more. Text i lies at angle i on a circle.
    fn check(
        options: &InterpretOptions,
        candidate: usize,
        expect: impl FnOnce(&[usize], &[usize]),
    ) {
        let texts: Texts =
            (0..40).map(|i| i.to_string()).collect::<Vec<_>>().iter().map(String::as_str).collect();
        let angle = |i: u16| f32::from(i) * 0.05;
        let data = (0..40).flat_map(|i| [angle(i).cos(), angle(i).sin()]).collect();
        let vectors = Matrix::from_vec(40, 2, data).unwrap();
        let example = |row: usize| Example {
            row,
            activation: if row < 20 { 20.0 - row as f32 } else { 0.0 },
            strength: Strength::Zero,
            half: Half::First,
        };
        let neuron = NeuronExamples {
            neuron: 3,
            texts: &texts,
            vectors: Some(&vectors),
            examples: (0..40).map(example).collect(),
            n_firing: 20,
            n_silent: 20,
        };
        let shown = shown(&neuron, options, 1, candidate);
        let rows = |texts: &[&str]| {
            let mut rows: Vec<usize> = texts.iter().map(|t| t.parse().unwrap()).collect();
            rows.sort_unstable();
            rows
        };
        expect(&rows(&shown.positives), &rows(&shown.negatives));
    }

    #[test]
    fn the_top_texts_are_shown_with_silent_ones() {
        let options = InterpretOptions { n_examples: 10, ..InterpretOptions::default() };
        check(&options, 0, |positives, negatives| {
            assert_eq!(positives, [0, 1, 2, 3, 4]);
            assert!(negatives.len() == 5 && negatives.iter().all(|&row| row >= 20));
            check(&options, 1, |others, _| {
                assert!(others.len() == 5 && others != positives && others.iter().all(|&r| r < 10));
            });
        });
    }

    #[test]
    fn quantiles_draw_between_two_percentiles() {
        let options = InterpretOptions {
            n_examples: 20,
            sampling: Sampling::Quantiles,
            quantile_low: 50.0,
            quantile_high: 75.0,
            ..InterpretOptions::default()
        };
        check(&options, 0, |positives, _| assert_eq!(positives, [5, 6, 7, 8, 9]));
    }

    #[test]
    fn hard_negatives_are_the_nearest_silent_texts() {
        let options =
            InterpretOptions { n_examples: 10, hard_negatives: 1.0, ..InterpretOptions::default() };
        check(&options, 0, |_, negatives| assert_eq!(negatives, [20, 21, 22, 23, 24]));
    }
}
