//! The texts of a card: those that speak for a hypothesis, and those that speak against it.

use hypothesaes_math::random::{permutation, stream};

use super::Material;
use crate::charts::Shown;
use crate::data::Split;

/// Texts of one kind, by their places among the held-out texts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub name: &'static str,
    pub texts: Vec<usize>,
}

/// What is looked at to choose.
struct Seen<'a> {
    /// Yes, no, or missing, per held-out text.
    answers: &'a [Option<bool>],
    /// How strongly each fires the neuron.
    activation: Vec<f32>,
    /// The target of each, in the direction of the effect; none for pairs and classes.
    target: Option<Vec<f64>>,
}

/// At most `most` texts of each kind for concept `c`, which words `neuron` and whose effect has this sign.
pub(super) fn kinds(
    material: &Material,
    (c, neuron): (usize, Option<usize>),
    sign: Option<f64>,
    most: usize,
) -> Vec<Kind> {
    let Shown { data, annotations, z, seed, .. } = material.shown;
    let texts = data.texts_in(Split::Heldout);
    let fires = |place: usize| match (z, neuron) {
        (Some(z), Some(j)) => z.value(place, j),
        _ => 0.0,
    };
    let is_ordered = !data.is_paired && !matches!(data.task, crate::data::Task::Multiclass { .. });
    let target = sign.filter(|_| is_ordered).map(|sign| {
        texts.iter().map(|&text| sign.signum() * data.y[text % data.n_rows()]).collect()
    });
    let seen = Seen {
        answers: annotations.concept(c),
        activation: (0..texts.len()).map(fires).collect(),
        target,
    };
    let order = permutation(texts.len(), &mut stream(seed, "report"));
    let kinds = seen.kinds(&order, neuron.is_some());
    let cut = |(name, mut texts): (&'static str, Vec<usize>)| {
        texts.truncate(most);
        Kind { name, texts }
    };
    kinds.into_iter().map(cut).filter(|kind| !kind.texts.is_empty()).collect()
}

impl Seen<'_> {
    fn kinds(&self, order: &[usize], has_neuron: bool) -> Vec<(&'static str, Vec<usize>)> {
        let of = |keep: &dyn Fn(usize) -> bool| -> Vec<usize> {
            order.iter().copied().filter(|&i| keep(i)).collect()
        };
        let says = |i: usize, answer: bool| self.answers[i] == Some(answer);
        let mut kinds = Vec::new();
        if has_neuron {
            let mut top = of(&|i| says(i, true) && self.activation[i] > 0.0);
            top.sort_by(|&a, &b| self.activation[b].total_cmp(&self.activation[a]));
            kinds.push(("It is true of them, and they fire the neuron most", top));
        }
        if let Some(target) = &self.target {
            let mut against = of(&|i| says(i, true));
            against.sort_by(|&a, &b| target[a].total_cmp(&target[b]));
            kinds.push(("It is true of them, but the target says otherwise", against));
        }
        if has_neuron {
            let mut missed = of(&|i| says(i, false) && self.activation[i] > 0.0);
            missed.sort_by(|&a, &b| self.activation[b].total_cmp(&self.activation[a]));
            kinds.push(("They fire the neuron, but it is not true of them", missed));
        }
        kinds.push(("It is true of them; drawn at random", of(&|i| says(i, true))));
        let silent = of(&|i| says(i, false) && self.activation[i] <= 0.0);
        kinds.push(("It is not true of them; drawn at random", silent));
        kinds
    }
}
