//! A target that has nothing to do with the texts any more but is like the real one otherwise.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::error::{Error, Result};
use crate::random::{Stream, stream};

/// What belongs together and what must stay apart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Blocks<'a> {
    /// Rows of one group keep their targets together.
    pub group: Option<&'a [usize]>,
    /// Targets stay within their stratum.
    pub stratum: Option<&'a [usize]>,
}

/// For every row the row whose target it gets.
///
/// Without groups, targets are permuted, within strata if there are any. Where all rows of every
/// group share one target, whole groups exchange theirs, each group once; every row of a group then
/// gets the other's value. Otherwise the targets of whole groups are laid end to end in random order
/// and dealt to the rows, group by group: each row's target is used once, and targets of one group
/// stay together. A group in several strata is one group in each. Random numbers come from the
/// stream `(seed, "placebo")`.
///
/// # Errors
/// [`Error::Shape`] if groups or strata are not one per row.
pub fn sources(y: &[f64], blocks: Blocks, seed: u64) -> Result<Vec<usize>> {
    let n = y.len();
    Error::check_len("group", blocks.group.map_or(n, <[usize]>::len), n)?;
    Error::check_len("stratum", blocks.stratum.map_or(n, <[usize]>::len), n)?;
    let mut strata: BTreeMap<usize, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
    for i in 0..n {
        let (stratum, group) =
            (blocks.stratum.map_or(0, |s| s[i]), blocks.group.map_or(i, |g| g[i]));
        strata.entry(stratum).or_default().entry(group).or_default().push(i);
    }
    let shared = strata.values().flat_map(BTreeMap::values).all(|rows| constant(y, rows));
    let mut sources = vec![0; n];
    let mut stream = stream(seed, "placebo");
    for groups in strata.values() {
        let groups: Vec<&Vec<usize>> = groups.values().collect();
        let pairs =
            if shared { exchanged(&groups, &mut stream) } else { dealt(&groups, &mut stream) };
        for (row, source) in pairs {
            sources[row] = source;
        }
    }
    Ok(sources)
}

/// The permuted target; see [`sources`].
///
/// # Errors
/// Those of [`sources`].
pub fn permuted(y: &[f64], blocks: Blocks, seed: u64) -> Result<Vec<f64>> {
    Ok(sources(y, blocks, seed)?.into_iter().map(|source| y[source]).collect())
}

fn constant(y: &[f64], rows: &[usize]) -> bool {
    rows.iter().all(|&i| y[i] == y[rows[0]])
}

/// Every row with the first row of the group whose value it gets.
fn exchanged(groups: &[&Vec<usize>], stream: &mut Stream) -> Vec<(usize, usize)> {
    let givers = shuffled(groups, stream);
    let pairs = groups.iter().zip(givers);
    pairs.flat_map(|(to, from)| to.iter().map(move |row| (*row, from[0]))).collect()
}

/// Every row with a row of the groups in random order.
fn dealt(groups: &[&Vec<usize>], stream: &mut Stream) -> Vec<(usize, usize)> {
    let rows = groups.iter().flat_map(|rows| rows.iter().copied());
    rows.zip(shuffled(groups, stream).into_iter().flatten().copied()).collect()
}

fn shuffled<'a>(groups: &[&'a Vec<usize>], stream: &mut Stream) -> Vec<&'a Vec<usize>> {
    let mut shuffled = groups.to_vec();
    shuffled.shuffle(stream);
    shuffled
}
