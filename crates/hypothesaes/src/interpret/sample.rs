//! Which texts an interpreter sees of a neuron.
//!
//! In go activations, out come seeded examples in two halves. The draw for a neuron depends on the
//! seed and on its index alone, not on which other neurons were chosen.

use hypothesaes_math::Matrix;
use hypothesaes_math::random::{permutation, stream};

use super::{InterpretOptions, Material};
use crate::data::Texts;

/// What an interpreter sees of a neuron.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronExamples<'a> {
    pub neuron: usize,
    /// All texts; [`Example::row`] points into them.
    pub texts: &'a Texts,
    /// Vectors of all texts, if there are.
    pub vectors: Option<&'a Matrix>,
    /// By rising row.
    pub examples: Vec<Example>,
    /// How many discover texts fire the neuron, sampled or not.
    pub n_firing: usize,
    /// How many discover texts do not fire it, sampled or not.
    pub n_silent: usize,
}

/// A text and how strongly it fires the neuron.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    pub row: usize,
    pub activation: f32,
    pub strength: Strength,
    pub half: Half,
}

/// How strongly a text fires a neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// Among the stronger half of the sampled texts that fire it.
    Strong,
    /// Among the weaker half.
    Weak,
    /// It does not fire.
    Zero,
}

/// The halves of a sample: what is found on one can be checked on the other. Both have equally
/// many texts that fire and that do not, to within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    First,
    Second,
}

/// The examples of every chosen neuron, in order.
pub(super) fn sample<'a>(
    material: &Material<'a>,
    options: &InterpretOptions,
    seed: u64,
) -> Vec<NeuronExamples<'a>> {
    let activations = columns(material);
    let sampled = material.chosen.iter().zip(activations);
    sampled.map(|(&neuron, z)| examples(material, neuron, &z, options, seed)).collect()
}

/// The activations of the chosen neurons on the discover texts.
fn columns(material: &Material) -> Vec<Vec<f32>> {
    let mut at = vec![Vec::new(); material.z.neurons()];
    for (place, &neuron) in material.chosen.iter().enumerate() {
        at[neuron].push(place);
    }
    let mut columns = vec![vec![0.0; material.discover.len()]; material.chosen.len()];
    for (i, &row) in material.discover.iter().enumerate() {
        for (neuron, value) in material.z.pairs(row) {
            for &place in &at[neuron] {
                columns[place][i] = value;
            }
        }
    }
    columns
}

fn examples<'a>(
    material: &Material<'a>,
    neuron: usize,
    z: &[f32],
    options: &InterpretOptions,
    seed: u64,
) -> NeuronExamples<'a> {
    let mut stream = stream(seed, &format!("interpret neuron {neuron}"));
    let order = permutation(z.len(), &mut stream);
    let (mut firing, mut silent): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|&i| z[i] > 0.0);
    let (n_firing, n_silent) = (firing.len(), silent.len());
    if options.model().is_none() {
        // A model is shown few texts, but those that fire it most are to be among them.
        firing.truncate(options.max_firing);
    }
    silent.truncate(options.max_silent);
    let median = upper_median(firing.iter().map(|&i| z[i]).collect());
    let example = |(place, i): (usize, usize)| Example {
        row: material.discover[i],
        activation: z[i],
        strength: match z[i] {
            v if v <= 0.0 => Strength::Zero,
            v if v >= median => Strength::Strong,
            _ => Strength::Weak,
        },
        half: if place % 2 == 0 { Half::First } else { Half::Second },
    };
    let mut examples: Vec<Example> =
        firing.into_iter().enumerate().chain(silent.into_iter().enumerate()).map(example).collect();
    examples.sort_unstable_by_key(|example| example.row);
    let Material { texts, vectors, .. } = *material;
    NeuronExamples { neuron, texts, vectors, examples, n_firing, n_silent }
}

fn upper_median(mut values: Vec<f32>) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f32::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hypothesaes_math::Activations;

    /// 40 texts; neuron 0 fires on every fourth with its row as strength, neuron 1 never.
    fn check(chosen: &[usize], options: &InterpretOptions, expect: impl FnOnce(&[NeuronExamples])) {
        let level = |i: u16| if i.is_multiple_of(4) { 1.0 + f32::from(i) } else { 0.0 };
        let rows: Vec<Vec<f32>> = (0..40).map(|i| vec![level(i), 0.0]).collect();
        let z = &Activations::from_dense(2, &rows).unwrap();
        let texts = &(0..40).map(|_| "text").collect();
        let discover: Vec<usize> = (0..40).collect();
        let material =
            Material { z, chosen, texts, vectors: None, discover: &discover, validation: &[] };
        expect(&sample(&material, options, 7));
    }

    #[test]
    fn halves_and_strengths_are_balanced() {
        check(&[0], &InterpretOptions::default(), |samples| {
            let sample = &samples[0];
            assert_eq!((sample.n_firing, sample.n_silent, sample.examples.len()), (10, 30, 40));
            for half in [Half::First, Half::Second] {
                let of_half = sample.examples.iter().filter(|e| e.half == half);
                let (zero, firing): (Vec<&Example>, Vec<&Example>) =
                    of_half.partition(|e| e.strength == Strength::Zero);
                assert_eq!((zero.len(), firing.len()), (15, 5));
            }
            for example in &sample.examples {
                let strong = example.row >= 20 && example.row % 4 == 0;
                assert_eq!(example.strength == Strength::Strong, strong);
            }
        });
    }

    #[test]
    fn large_samples_are_cut_and_the_rest_is_counted() {
        let options = InterpretOptions { max_firing: 4, max_silent: 6, ..Default::default() };
        check(&[0], &options, |samples| {
            let sample = &samples[0];
            assert_eq!((sample.n_firing, sample.n_silent, sample.examples.len()), (10, 30, 10));
        });
    }

    #[test]
    fn a_neuron_draws_the_same_whatever_else_is_chosen() {
        let options = InterpretOptions { max_firing: 4, max_silent: 6, ..Default::default() };
        check(&[1, 0, 0], &options, |three| {
            assert_eq!(three[1], three[2]);
            check(&[0], &options, |one| assert_eq!(one[0].examples, three[1].examples));
        });
    }

    #[test]
    fn trap_16_a_neuron_that_never_fires_has_no_firing_example() {
        check(&[1], &InterpretOptions::default(), |samples| {
            assert_eq!(samples[0].n_firing, 0);
            assert!(samples[0].examples.iter().all(|e| e.strength == Strength::Zero));
        });
    }
}
