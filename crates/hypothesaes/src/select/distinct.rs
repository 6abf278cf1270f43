//! Neurons that are like each other: shown, and left out if asked.

use hypothesaes_math::redundancy::{Alike, correlations, cosines, distinct, nearest};
use hypothesaes_math::{Matrix, Setting};

use super::{Discover, Ranked, Twin};
use crate::Result;

/// Rounds of leaving twins out; each takes at least one, and few selections need three.
const MAX_ROUNDS: usize = 30;

/// The selection without twins: those that are more than `most` like a better one are excluded, and
/// others selected in their place, until none is left.
pub(super) fn ranked(
    most: f64,
    setting: &mut Setting,
    mut select: impl FnMut(&Setting) -> Result<(Ranked, [Alike; 2])>,
) -> Result<Ranked> {
    let mut left_out = 0;
    for _ in 0..MAX_ROUNDS {
        let (mut found, alike) = select(setting)?;
        let kept = distinct(&alike, most)?;
        if kept.len() == found.order.len() {
            if left_out > 0 {
                found.messages.push(format!(
                    "{left_out} neurons left out that are more than {most} like a better one"
                ));
            }
            return Ok(found);
        }
        let twins = (0..found.order.len()).filter(|at| !kept.contains(at));
        let twins: Vec<usize> = twins.map(|at| found.order[at].0).collect();
        left_out += twins.len();
        setting.excluded.extend(twins);
    }
    let (mut found, alike) = select(setting)?;
    let kept = distinct(&alike, most)?;
    found.order = kept.into_iter().map(|at| found.order[at]).collect();
    found.messages.push(format!("no {} neurons are less than {most} alike", found.order.len() + 1));
    Ok(found)
}

/// How much these neurons are alike, by activations and by decoders.
pub(super) fn tables(
    discover: &Discover,
    setting: &Setting,
    neurons: &[usize],
) -> Result<[Alike; 2]> {
    let by_activation = correlations(discover.z, neurons, setting)?;
    let by_decoder = decoders(discover.decoders, neurons)?;
    Ok([by_activation, by_decoder])
}

/// The nearest neuron before each.
pub(super) fn twins(
    discover: &Discover,
    setting: &Setting,
    neurons: &[usize],
) -> Result<Vec<Option<Twin>>> {
    let [by_activation, by_decoder] = tables(discover, setting, neurons)?;
    // By whichever says more.
    let larger = |a: usize, b: usize| match (by_activation[a][b], by_decoder[a][b]) {
        (Some(x), Some(y)) => Some(x.max(y)),
        (x, y) => x.or(y),
    };
    let n = neurons.len();
    let either: Alike = (0..n).map(|a| (0..n).map(|b| larger(a, b)).collect()).collect();
    let twin = |(a, found): (usize, Option<(usize, f64)>)| {
        let (b, _) = found?;
        let (correlation, cosine) = (by_activation[a][b], by_decoder[a][b]);
        Some(Twin { neuron: neurons[b], correlation, cosine })
    };
    Ok(nearest(&either).into_iter().enumerate().map(twin).collect())
}

/// Cosines of decoders, of neurons of the same autoencoder.
fn decoders(decoders: &[&Matrix], neurons: &[usize]) -> Result<Alike> {
    let n = neurons.len();
    let mut alike: Alike = vec![vec![None; n]; n];
    let mut start = 0;
    for decoder in decoders {
        let end = start + decoder.rows();
        let places: Vec<usize> = (0..n).filter(|&a| (start..end).contains(&neurons[a])).collect();
        let own: Vec<usize> = places.iter().map(|&a| neurons[a] - start).collect();
        let found = cosines(decoder, &own)?;
        for (a, row) in places.iter().zip(found) {
            for (b, cosine) in places.iter().zip(row) {
                alike[*a][*b] = cosine;
            }
        }
        start = end;
    }
    Ok(alike)
}
