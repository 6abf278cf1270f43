//! The rows of a problem with a loss that is not quadratic, in the order of the absorbed factor.

use std::borrow::Cow;

use super::family::Family;
use crate::error::{Error, Result};
use crate::lasso::standard::Standard;
use crate::{Activations, Controls, Setting};

/// Levels that factors beside the absorbed one may have together: they are expanded.
const MAX_LEVELS: usize = 200;

pub(in crate::lasso) struct Layout<'a> {
    pub z: Cow<'a, Activations>,
    pub x: Standard,
    pub weights: Vec<f64>,
    pub offset: Vec<f64>,
    /// Which row of the caller every row here is, if they differ.
    order: Option<Vec<usize>>,
    /// Where every level of the absorbed factor begins, and the end; one level for an intercept
    /// alone, empty without any.
    pub groups: Vec<usize>,
    /// Numeric controls with mean square 1, row by row, `n_dense` a row.
    pub dense: Vec<f64>,
    pub n_dense: usize,
    /// The levels of further factors, counted on from one factor to the next.
    pub levels: Vec<Vec<u32>>,
    pub n_levels: usize,
}

impl<'a> Layout<'a> {
    /// # Errors
    /// [`Error::Data`] if the factors beside the largest one have too many levels.
    pub fn new(z: &'a Activations, setting: &Setting) -> Result<Self> {
        let absorbed = largest(&setting.controls);
        let order = absorbed.map(|f| sorted(&setting.controls.factors[f]));
        let (z, setting) = match &order {
            Some(order) => (Cow::Owned(z.gather(order)), Cow::Owned(setting.gather(order))),
            None => (Cow::Borrowed(z), Cow::Borrowed(setting)),
        };
        let rows = z.rows();
        let groups = match absorbed {
            Some(f) => starts(&setting.controls.factors[f]),
            None if setting.centred => vec![0, rows],
            None => vec![],
        };
        let (levels, n_levels) = expanded(&setting.controls, absorbed)?;
        let projection = setting.projection(rows);
        let size = projection.total().sqrt();
        let basis = projection.basis();
        let dense = (0..rows).flat_map(|i| basis.iter().map(move |q| q[i] * size)).collect();
        let n_dense = basis.len();
        let weights = projection.weights().to_vec();
        let offset = setting.offset.clone().unwrap_or_else(|| vec![0.0; rows]);
        let x = Standard::new(&z, &setting);
        Ok(Self { z, x, weights, offset, order, groups, dense, n_dense, levels, n_levels })
    }

    pub fn rows(&self) -> usize {
        self.weights.len()
    }

    /// Unpenalised dimensions that are not absorbed: numeric controls, then levels.
    pub fn n_free(&self) -> usize {
        self.n_dense + self.n_levels
    }

    /// A column of the caller in the order of the rows here.
    pub fn ordered(&self, v: &[f64]) -> Vec<f64> {
        match &self.order {
            Some(order) => order.iter().map(|&i| v[i]).collect(),
            None => v.to_vec(),
        }
    }

    /// The levels of the absorbed factor, as ranges of rows.
    pub fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.groups.windows(2).map(|w| w[0]..w[1])
    }

    /// The row weights without the rows whose level settles their target: where a loss can be
    /// brought to 0 by the level alone, neurons have nothing to add.
    pub fn open_weights(&self, family: Family, y: &[f64]) -> Vec<f64> {
        let mut weights = self.weights.clone();
        if self.groups.is_empty() {
            return weights;
        }
        loop {
            let mut closed = self.close_groups(family, y, &mut weights);
            for levels in &self.levels {
                closed |= self.close_levels(family, y, levels, &mut weights);
            }
            if !closed || self.levels.is_empty() {
                return weights;
            }
        }
    }

    fn close_groups(&self, family: Family, y: &[f64], weights: &mut [f64]) -> bool {
        let mut closed = false;
        for range in self.ranges() {
            let w = &mut weights[range.clone()];
            if w.iter().any(|w| *w > 0.0) && is_settled(family, &y[range], w) {
                w.fill(0.0);
                closed = true;
            }
        }
        closed
    }

    fn close_levels(&self, family: Family, y: &[f64], levels: &[u32], w: &mut [f64]) -> bool {
        let mut sums = vec![(0.0, 0.0); self.n_levels];
        for (i, level) in levels.iter().enumerate().filter(|(i, _)| w[*i] > 0.0) {
            let (sum, weight) = &mut sums[*level as usize];
            *sum += w[i] * y[i];
            *weight += w[i];
        }
        let settled = |(sum, weight): &(f64, f64)| *weight > 0.0 && family.is_extreme(sum / weight);
        let settled: Vec<bool> = sums.iter().map(settled).collect();
        w.iter_mut().zip(levels).filter(|(_, l)| settled[**l as usize]).for_each(|(w, _)| *w = 0.0);
        settled.contains(&true)
    }
}

fn is_settled(family: Family, y: &[f64], w: &[f64]) -> bool {
    let mut weighty = y.iter().zip(w).filter(|(_, w)| **w > 0.0).map(|(y, _)| *y);
    let first = weighty.next();
    first.is_some_and(|first| family.is_extreme(first) && weighty.all(|v| v == first))
}

/// The factor with the most levels, the first of several.
fn largest(controls: &Controls) -> Option<usize> {
    let size = |f: &Vec<u32>| f.iter().max().copied();
    (0..controls.factors.len()).max_by_key(|&f| (size(&controls.factors[f]), std::cmp::Reverse(f)))
}

/// Rows by level, and by row within one.
fn sorted(levels: &[u32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by_key(|&i| levels[i]);
    order
}

/// Where each level begins in sorted levels, and the end.
fn starts(levels: &[u32]) -> Vec<usize> {
    let begins = |&i: &usize| i == 0 || levels[i] != levels[i - 1];
    (0..levels.len()).filter(begins).chain([levels.len()]).collect()
}

fn expanded(controls: &Controls, absorbed: Option<usize>) -> Result<(Vec<Vec<u32>>, usize)> {
    let mut all = Vec::new();
    let mut n_levels = 0;
    for (_, factor) in controls.factors.iter().enumerate().filter(|(f, _)| Some(*f) != absorbed) {
        let top = factor.iter().max().map_or(0, |l| *l as usize + 1);
        if n_levels + top > MAX_LEVELS {
            let why = format!(
                "the factors beside the largest one have more than `{MAX_LEVELS}` levels, too many \
                 for this loss: merge levels or leave a factor out"
            );
            return Err(Error::Data(why));
        }
        let start = u32::try_from(n_levels).expect("at most 200");
        all.push(factor.iter().map(|l| l + start).collect());
        n_levels += top;
    }
    Ok((all, n_levels))
}
