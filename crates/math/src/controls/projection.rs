//! The weighted projection off an intercept and the controls.

use rayon::prelude::*;

use super::Controls;
use super::factors::{Factor, absorb};
use crate::activations::Columns;
use crate::moments::Moments;

/// A control of which less than this share is left by those before it adds nothing to them.
const COLLINEAR: f64 = 1e-9;
/// A neuron of whose variance less than this share is left is a combination of the controls.
const EXPLAINED: f64 = 1e-10;

/// `M = I - C (C'W C)^-1 C'W`, where `C` are an intercept, the numeric controls and the
/// indicators of all levels of all factors.
#[derive(Debug, Clone)]
pub struct Projection {
    weights: Vec<f64>,
    total: f64,
    factors: Vec<Factor>,
    /// Numeric controls off the factors, with unit sums of weighted squares and products 0.
    basis: Vec<Vec<f64>>,
}

impl Projection {
    /// `weights`: one per row, at least 0. Controls that follow from those before them are dropped.
    ///
    /// # Panics
    /// If the controls have another number of rows: the caller's invariant, see
    /// [`Controls::check`].
    #[must_use]
    pub fn new(weights: Vec<f64>, controls: &Controls, intercept: bool) -> Self {
        let total = weights.iter().sum();
        let mut levels = controls.factors.clone();
        if levels.is_empty() && intercept {
            levels.push(vec![0; weights.len()]);
        }
        assert!(levels.iter().all(|l| l.len() == weights.len()));
        assert!(controls.columns.iter().all(|c| c.len() == weights.len()));
        let factors = levels.into_iter().map(|l| Factor::new(l, &weights)).collect();
        let mut projection = Self { weights, total, factors, basis: Vec::new() };
        for column in &controls.columns {
            projection.control(column);
        }
        projection
    }

    /// `M v`: what intercept and controls leave of `v`. O(rows (1 + numeric controls)) with one
    /// factor at most.
    #[must_use]
    pub fn residual(&self, v: &[f64]) -> Vec<f64> {
        let mut v = v.to_vec();
        if !self.factors.is_empty() {
            absorb(&self.factors, &mut v, &self.weights);
        }
        for q in &self.basis {
            let product = self.product(q, &v);
            v.iter_mut().zip(q).for_each(|(v, q)| *v -= product * q);
        }
        v
    }

    /// Whether it takes off an intercept at most.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let one = |f: &Factor| f.weights.len() <= 1;
        self.basis.is_empty() && self.factors.len() <= 1 && self.factors.iter().all(one)
    }

    /// The row weights.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Sum of the row weights.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The numeric controls off the factors, orthonormal under the weights.
    pub(crate) fn basis(&self) -> &[Vec<f64>] {
        &self.basis
    }

    /// Sum of `w v^2`.
    #[must_use]
    pub fn squares(&self, v: &[f64]) -> f64 {
        self.product(v, v)
    }

    /// Sum of `w (M x)^2` for every sparse column `x`; 0 for one that the controls determine.
    ///
    /// ```text
    /// sum w x^2 - sum_level (sum_level w x)^2 / W_level - sum_q (sum w q x)^2
    /// ```
    ///
    /// `moments`: of the columns, centred if there is an intercept or a factor. O(nnz (1 + numeric
    /// controls)) with one factor at most; with several, column by column.
    #[must_use]
    pub fn column_squares(&self, columns: &Columns, moments: &[Moments]) -> Vec<f64> {
        let widest = self.factors.iter().map(|f| f.weights.len()).max().unwrap_or(0);
        (0..columns.neurons())
            .into_par_iter()
            .map_init(
                || vec![0.0; widest],
                |sums, j| {
                    let whole = self.total * moments[j].sd.powi(2);
                    let left = match self.factors.len() {
                        0 | 1 => self.left(columns, j, whole, sums),
                        _ => self.left_by_several(columns, j),
                    };
                    if left > EXPLAINED * whole { left } else { 0.0 }
                },
            )
            .collect()
    }

    fn left(&self, columns: &Columns, j: usize, whole: f64, sums: &mut [f64]) -> f64 {
        let projected = |q: &Vec<f64>| {
            columns.pairs(j).map(|(i, x)| self.weights[i] * q[i] * x).sum::<f64>().powi(2)
        };
        self.within(columns, j, whole, sums) - self.basis.iter().map(projected).sum::<f64>()
    }

    /// Sum of the weighted squared distances from the level's mean; `sums` are 0 before and after.
    fn within(&self, columns: &Columns, j: usize, whole: f64, sums: &mut [f64]) -> f64 {
        let [factor] = self.factors.as_slice() else { return whole };
        if factor.weights.len() == 1 {
            return whole;
        }
        let level = |i: usize| factor.levels[i] as usize;
        let mut squares = 0.0;
        for (i, x) in columns.pairs(j) {
            squares += self.weights[i] * x * x;
            sums[level(i)] += self.weights[i] * x;
        }
        for (i, _) in columns.pairs(j) {
            let sum = std::mem::take(&mut sums[level(i)]);
            if sum != 0.0 {
                squares -= sum * sum / factor.weights[level(i)];
            }
        }
        squares
    }

    fn left_by_several(&self, columns: &Columns, j: usize) -> f64 {
        let mut column = vec![0.0; self.weights.len()];
        columns.pairs(j).for_each(|(i, x)| column[i] = x);
        self.squares(&self.residual(&column))
    }

    /// Adds a numeric control, unless those before it determine it.
    fn control(&mut self, column: &[f64]) {
        let whole = self.squares(column).sqrt();
        // Twice: what rounding leaves of the others after one time is gone after two.
        let left = self.residual(&self.residual(column));
        let size = self.squares(&left).sqrt();
        if size > COLLINEAR * whole {
            self.basis.push(left.iter().map(|v| v / size).collect());
        }
    }

    fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).zip(&self.weights).map(|((a, b), w)| w * a * b).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activations;
    use crate::moments::weighted;
    use crate::random::stream;
    use nalgebra::{DMatrix, DVector};
    use rand::RngExt;

    const ROWS: usize = 60;

    fn data(seed: u64) -> (Vec<f64>, Controls, Activations) {
        let mut random = stream(seed, "projection test");
        let weights = (0..ROWS).map(|i| if i % 9 == 0 { 0.0 } else { random.random() }).collect();
        let columns = (0..2).map(|_| (0..ROWS).map(|_| random.random()).collect()).collect();
        let factor = |levels: u32, random: &mut crate::random::Stream| {
            (0..ROWS).map(|_| random.random_range(0..levels)).collect::<Vec<u32>>()
        };
        let factors = vec![factor(7, &mut random), factor(4, &mut random)];
        let mut z = Activations::new(5);
        for _ in 0..ROWS {
            let fires = |j: u32, r: &mut crate::random::Stream| (r.random_bool(0.3), j, r.random());
            let row: Vec<_> = (0..5).map(|j| fires(j, &mut random)).collect();
            z.push_row(row.into_iter().filter(|f| f.0).map(|f| (f.1, f.2)));
        }
        (weights, Controls { columns, factors }, z)
    }

    /// The residual by a dense pseudo-inverse of all indicators.
    fn plainly(w: &[f64], controls: &Controls, intercept: bool, v: &[f64]) -> Vec<f64> {
        let mut columns = controls.columns.clone();
        for factor in &controls.factors {
            let indicator = |l| factor.iter().map(|f| f64::from(u8::from(*f == l))).collect();
            columns.extend((0..=*factor.iter().max().unwrap()).map(indicator));
        }
        if intercept {
            columns.push(vec![1.0; ROWS]);
        }
        if columns.is_empty() {
            return v.to_vec();
        }
        let c = DMatrix::from_fn(ROWS, columns.len(), |i, j| columns[j][i]);
        let half = DMatrix::from_fn(ROWS, columns.len(), |i, j| w[i].sqrt() * columns[j][i]);
        let rhs = DVector::from_fn(ROWS, |i, _| w[i].sqrt() * v[i]);
        let a = half.svd(true, true).solve(&rhs, 1e-10).unwrap();
        (DVector::from_column_slice(v) - c * a).as_slice().to_vec()
    }

    fn check(controls: &Controls, intercept: bool) {
        let (weights, _, z) = data(5);
        let projection = Projection::new(weights.clone(), controls, intercept);
        let columns = z.by_neuron();
        let centred = !projection.factors.is_empty();
        let moments = weighted(&z, Some(&weights), centred);
        let squares = projection.column_squares(&columns, &moments);
        for (j, squares) in squares.into_iter().enumerate() {
            let mut v = vec![0.0; ROWS];
            columns.pairs(j).for_each(|(i, x)| v[i] = x);
            let (got, expected) =
                (projection.residual(&v), plainly(&weights, controls, intercept, &v));
            for i in (0..ROWS).filter(|&i| weights[i] > 0.0) {
                assert!((got[i] - expected[i]).abs() < 1e-12, "{j} {i} {} {}", got[i], expected[i]);
            }
            assert!((squares - projection.squares(&got)).abs() < 1e-12);
        }
    }

    #[test]
    fn residuals_are_those_of_dense_least_squares() {
        let (_, all, _) = data(5);
        let part = |columns: usize, factors: usize| Controls {
            columns: all.columns[..columns].to_vec(),
            factors: all.factors[..factors].to_vec(),
        };
        for (columns, factors) in [(0, 0), (2, 0), (0, 1), (2, 1), (0, 2), (2, 2)] {
            check(&part(columns, factors), true);
        }
        check(&part(2, 0), false);
        check(&part(0, 0), false);
    }

    #[test]
    fn a_control_twice_is_one_control() {
        let (weights, all, _) = data(6);
        let twice = Controls { columns: vec![all.columns[0].clone(); 2], factors: vec![] };
        assert_eq!(Projection::new(weights, &twice, true).basis.len(), 1);
    }

    #[test]
    fn a_neuron_that_is_a_control_has_nothing_left() {
        let (weights, _, z) = data(7);
        let mut column = vec![-1.0; ROWS];
        z.by_neuron().pairs(2).for_each(|(i, x)| column[i] += 3.0 * x);
        let controls = Controls { columns: vec![column], factors: vec![] };
        let projection = Projection::new(weights.clone(), &controls, true);
        let moments = weighted(&z, Some(&weights), true);
        let squares = projection.column_squares(&z.by_neuron(), &moments);
        assert!(squares[2] == 0.0 && squares[1] > 0.0, "{squares:?}");
    }
}
