//! What the sampled texts say of a neuron: its activation, and what their words make likely.

use super::index::PhraseIndex;
use super::log_odds::{Counts, log_odds};
use super::sample::{Half, NeuronExamples};

/// Share of the words in the [`Evidence::target`]; the activation has the rest.
const SHARE_OF_WORDS: f64 = 0.5;

/// Sampled texts and what a neuron does on them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Evidence {
    pub(super) texts: Vec<Sampled>,
}

/// A sampled text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampled {
    /// Its number in the index.
    pub(super) text: usize,
    pub(super) activation: f64,
    /// How many discover texts it stands for.
    pub(super) weight: f64,
    pub(super) half: Half,
}

impl Evidence {
    /// The examples of a neuron; `place` gives the number of a row in the index, and examples
    /// outside of it are left out.
    pub(super) fn new(neuron: &NeuronExamples, place: impl Fn(usize) -> Option<usize>) -> Self {
        let firing = neuron.examples.iter().filter(|e| e.activation > 0.0).count();
        let silent = neuron.examples.len() - firing;
        let sampled = neuron.examples.iter().filter_map(|e| {
            let weight = if e.activation > 0.0 {
                neuron.n_firing as f64 / firing as f64
            } else {
                neuron.n_silent as f64 / silent as f64
            };
            let (text, activation) = (place(e.row)?, f64::from(e.activation));
            Some(Sampled { text, activation, weight, half: e.half })
        });
        Self { texts: sampled.collect() }
    }

    /// One half, halved again so that it can be treated like the whole.
    pub(super) fn half(&self, half: Half) -> Self {
        let mut seen = [0, 0];
        let texts = self.texts.iter().filter(|t| t.half == half).map(|t| {
            let seen = &mut seen[usize::from(t.fires())];
            *seen += 1;
            let half = if *seen % 2 == 0 { Half::First } else { Half::Second };
            Sampled { half, ..*t }
        });
        Self { texts: texts.collect() }
    }

    /// How many texts have each phrase, among those that fire and those that do not.
    pub(super) fn counts(&self, index: &PhraseIndex, of: impl Fn(&Sampled) -> bool) -> Counts {
        let mut counts = Counts { firing: vec![0.0; index.len()], silent: vec![0.0; index.len()] };
        for text in self.texts.iter().filter(|t| of(t)) {
            let counts = if text.fires() { &mut counts.firing } else { &mut counts.silent };
            for &phrase in index.phrases(text.text) {
                counts[phrase as usize] += 1.0;
            }
        }
        counts
    }

    /// What a rule should agree with, one value per text with mean 0 and deviation 1.
    ///
    /// Half of it is the square root of the activation. The other half is the mean log-odds score
    /// of the text's phrases, learned on the half of the sample that the text is not in: a top-k
    /// neuron is silent on many texts that are of its kind, because other neurons won there, and
    /// the words tell. O(phrases of the texts).
    pub(super) fn target(&self, index: &PhraseIndex) -> Vec<f64> {
        let learned_on = |half| log_odds(&self.counts(index, |t| t.half == half));
        let (first, second) = (learned_on(Half::First), learned_on(Half::Second));
        let words = self.texts.iter().map(|t| {
            let scores = if t.half == Half::First { &second } else { &first };
            let phrases = index.phrases(t.text);
            let sum: f64 = phrases.iter().map(|&phrase| scores[phrase as usize]).sum();
            sum / (phrases.len() + 1) as f64
        });
        let words = self.standard(words.collect());
        let activation = self.activation();
        let mixed = words
            .iter()
            .zip(activation)
            .map(|(w, a)| SHARE_OF_WORDS * w + (1.0 - SHARE_OF_WORDS) * a);
        self.standard(mixed.collect())
    }

    /// Square root of the activation, with mean 0 and deviation 1.
    pub(super) fn activation(&self) -> Vec<f64> {
        self.standard(self.texts.iter().map(|t| t.activation.sqrt()).collect())
    }

    /// Correlation with the neuron on one half of the texts of a rule found on the other half alone,
    /// the mean of both ways round. `fits` says of which texts a rule holds.
    pub(super) fn carried<R>(
        &self,
        find: impl Fn(&Self) -> R,
        fits: impl Fn(&R, &Self) -> Vec<bool>,
    ) -> f64 {
        let (first, second) = (self.half(Half::First), self.half(Half::Second));
        let carried = |from: &Self, to: &Self| to.correlation(&fits(&find(from), to));
        f64::midpoint(carried(&first, &second), carried(&second, &first))
    }

    /// Pearson correlation, weighted, of the activation with `says`; 0 if one of them is constant.
    pub(super) fn correlation(&self, says: &[bool]) -> f64 {
        let activation = self.standard(self.texts.iter().map(|t| t.activation).collect());
        let says = self.standard(says.iter().map(|&s| f64::from(u8::from(s))).collect());
        let products = activation.iter().zip(says).map(|(a, s)| a * s);
        self.mean(products)
    }

    /// Sum of the weights.
    pub(super) fn weight(&self) -> f64 {
        self.texts.iter().map(|t| t.weight).sum()
    }

    fn mean(&self, values: impl Iterator<Item = f64>) -> f64 {
        self.texts.iter().zip(values).map(|(t, v)| t.weight * v).sum::<f64>() / self.weight()
    }

    /// Less their weighted mean, by their weighted deviation; all 0 if constant.
    fn standard(&self, values: Vec<f64>) -> Vec<f64> {
        let mean = self.mean(values.iter().copied());
        let deviation = self.mean(values.iter().map(|v| (v - mean).powi(2))).sqrt();
        let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
        values.into_iter().map(|v| (v - mean) * scale).collect()
    }
}

impl Sampled {
    pub(super) fn fires(&self) -> bool {
        self.activation > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Texts;
    use crate::interpret::sample::{Example, Strength};

    fn sampled(activation: f64, weight: f64, half: Half) -> Sampled {
        Sampled { text: 0, activation, weight, half }
    }

    #[test]
    fn weights_make_up_for_texts_that_were_not_drawn() {
        let example = |row, activation| Example {
            row,
            activation,
            strength: if activation > 0.0 { Strength::Strong } else { Strength::Zero },
            half: Half::First,
        };
        let texts = Texts::default();
        let examples = vec![example(3, 1.0), example(5, 0.0), example(8, 0.0)];
        let neuron = NeuronExamples {
            neuron: 0,
            texts: &texts,
            vectors: None,
            examples,
            n_firing: 10,
            n_silent: 90,
        };
        let evidence = Evidence::new(&neuron, |row| (row != 8).then_some(row * 2));
        let got: Vec<_> = evidence.texts.iter().map(|t| (t.text, t.weight)).collect();
        assert_eq!(got, [(6, 10.0), (10, 45.0)]);
    }

    #[test]
    fn halves_are_halved_again_evenly() {
        let texts = (0..16)
            .map(|i| {
                let half = if i % 2 == 0 { Half::First } else { Half::Second };
                sampled(if i < 8 { 1.0 } else { 0.0 }, 1.0, half)
            })
            .collect();
        let half = Evidence { texts }.half(Half::Second);
        let count = |fires, half_is| {
            half.texts.iter().filter(|t| t.fires() == fires && t.half == half_is).count()
        };
        for fires in [true, false] {
            assert_eq!((count(fires, Half::First), count(fires, Half::Second)), (2, 2));
        }
    }

    #[test]
    fn correlation_is_that_of_the_texts_the_sample_stands_for() {
        let texts = [(2.0, 1.0), (0.0, 3.0), (1.0, 1.0), (0.0, 2.0)]
            .map(|(activation, weight)| sampled(activation, weight, Half::First));
        let got = Evidence { texts: texts.to_vec() }.correlation(&[true, true, false, false]);
        // The same with rows repeated: z = 2 0 0 0 1 0 0, says = 1 1 1 1 0 0 0.
        let (z, says, both) = (3.0 / 7.0, 4.0 / 7.0, 2.0 / 7.0);
        let spread = (5.0_f64 / 7.0 - z * z) * (says - says * says);
        assert!((got - (both - z * says) / spread.sqrt()).abs() < 1e-12, "{got}");
        let constant = Evidence { texts: texts.to_vec() }.correlation(&[true; 4]);
        assert!(constant.abs() < f64::EPSILON);
    }
}
