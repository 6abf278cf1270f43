//! What log-odds mean for the expected value of the target.

use nalgebra::DVector;

use super::likelihood::{Likelihood, logistic};

/// ```text
/// E(eta) = v_last - sum_k (v_(k+1) - v_k) F(a_k - eta)
/// ```
pub(super) struct Marginal<'a> {
    likelihood: &'a Likelihood<'a>,
    parameters: &'a [f64],
    /// Value of the last level, and the step to each level from the one before.
    last: f64,
    steps: Vec<f64>,
    eta: Vec<f64>,
    total: f64,
}

/// The expected value at a linear predictor, and its derivatives.
struct Curve {
    expected: f64,
    /// `(v_(k+1) - v_k) f(a_k - eta)` for every threshold, and their sum, `dE/deta`.
    densities: Vec<f64>,
    slope: f64,
    /// Derivatives of the densities by their threshold.
    bends: Vec<f64>,
}

impl<'a> Marginal<'a> {
    pub fn new(likelihood: &'a Likelihood<'a>, parameters: &'a [f64], values: &[f64]) -> Self {
        Self {
            likelihood,
            parameters,
            last: values[values.len() - 1],
            steps: values.windows(2).map(|pair| pair[1] - pair[0]).collect(),
            eta: likelihood.predictors(parameters),
            total: likelihood.weights.iter().sum(),
        }
    }

    /// The expected value at a linear predictor.
    pub fn expected(&self, eta: f64) -> f64 {
        let below = self.steps.iter().zip(self.parameters);
        self.last - below.map(|(step, a)| step * logistic(a - eta)).sum::<f64>()
    }

    /// The weighted mean of the expected values.
    pub fn mean(&self) -> f64 {
        let rows = self.eta.iter().zip(&self.likelihood.weights);
        rows.map(|(eta, w)| w * self.expected(*eta)).sum::<f64>() / self.total
    }

    /// The weighted mean, over the rows, of the change with column `j`, and its gradient by the
    /// parameters: the difference between 1 and 0 for a column of 0 and 1, else the derivative.
    pub fn effect(&self, j: usize) -> (f64, DVector<f64>) {
        let mut sums = (0.0, DVector::zeros(self.parameters.len()));
        let column = |i: usize| self.likelihood.x.columns().value(i, j);
        if self.likelihood.x.columns().has_only(j, &[0.0, 1.0]) {
            self.jumps(self.likelihood.cuts + j, column, &mut sums);
        } else {
            self.slopes(self.likelihood.cuts + j, &mut sums);
        }
        sums
    }

    /// `E(eta at 1) - E(eta at 0)`, all else as it is.
    fn jumps(
        &self,
        at: usize,
        column: impl Fn(usize) -> f64,
        (value, gradient): &mut (f64, DVector<f64>),
    ) {
        let (mut before, mut after) = (self.curve(), self.curve());
        let mut entries = self.likelihood.x.entries();
        for i in 0..self.eta.len() {
            let entry = column(i);
            let zero = self.eta[i] - self.parameters[at] * entry;
            before.move_to(zero, self);
            after.move_to(zero + self.parameters[at], self);
            let w = self.weight(i);
            *value += w * (after.expected - before.expected);
            for k in 0..self.steps.len() {
                gradient[k] += w * (before.densities[k] - after.densities[k]);
            }
            let change = after.slope - before.slope;
            self.add_columns(entries.row(i), w * change, gradient);
            // The own column is 1 after and 0 before, whatever it is in the data.
            gradient[at] += w * (after.slope - change * entry);
        }
    }

    /// `b dE/deta`.
    fn slopes(&self, at: usize, (value, gradient): &mut (f64, DVector<f64>)) {
        let (b, mut curve) = (self.parameters[at], self.curve());
        let mut entries = self.likelihood.x.entries();
        for (i, eta) in self.eta.iter().enumerate() {
            curve.move_to(*eta, self);
            let w = self.weight(i);
            *value += w * b * curve.slope;
            let mut bend = 0.0;
            for (k, v) in curve.bends.iter().enumerate() {
                gradient[k] += w * b * v;
                bend += v;
            }
            self.add_columns(entries.row(i), -w * b * bend, gradient);
            gradient[at] += w * curve.slope;
        }
    }

    fn weight(&self, i: usize) -> f64 {
        self.likelihood.weights[i] / self.total
    }

    /// `amount` times a row's entries onto the columns' part of the gradient.
    fn add_columns(&self, row: &[(usize, f64)], amount: f64, gradient: &mut DVector<f64>) {
        for (m, x) in row.iter().filter(|(m, _)| *m > 0) {
            gradient[self.likelihood.cuts + m - 1] += amount * x;
        }
    }

    fn curve(&self) -> Curve {
        let zeros = vec![0.0; self.steps.len()];
        Curve { expected: 0.0, densities: zeros.clone(), slope: 0.0, bends: zeros }
    }
}

impl Curve {
    fn move_to(&mut self, eta: f64, of: &Marginal) {
        (self.expected, self.slope) = (of.last, 0.0);
        for (k, (step, a)) in of.steps.iter().zip(of.parameters).enumerate() {
            let below = logistic(a - eta);
            let density = step * below * (1.0 - below);
            self.expected -= step * below;
            self.slope += density;
            self.densities[k] = density;
            self.bends[k] = density * (1.0 - 2.0 * below);
        }
    }
}
