//! The logistic loss near one linear predictor: its value, slope and curvature per row.

use rayon::prelude::*;

/// Rows summed by one piece of parallel work; the pieces' sums are added in order.
const CHUNK: usize = 8192;

#[derive(Clone, Default)]
pub(super) struct Local {
    /// `p - y`, and its sum.
    pub residuals: Vec<f64>,
    pub residual: f64,
    /// `p (1 - p)`, and its sum.
    pub variances: Vec<f64>,
    pub variance: f64,
    /// Sum of the losses of the rows.
    pub loss: f64,
}

impl Local {
    /// At the linear predictor `eta`, for a target `y` of 0 and 1.
    pub fn at(eta: &[f64], y: &[f64]) -> Self {
        let parts: Vec<Self> = eta
            .par_chunks(CHUNK)
            .zip(y.par_chunks(CHUNK))
            .map(|(eta, y)| {
                let mut part = Self::default();
                eta.iter().zip(y).for_each(|(&eta, &y)| part.add(eta, y));
                part
            })
            .collect();
        parts.into_iter().fold(Self::default(), Self::join)
    }

    fn add(&mut self, eta: f64, y: f64) {
        // The exponential of a negative number only, so that nothing overflows.
        let small = (-eta.abs()).exp();
        let p = if eta > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        let variance = small / (1.0 + small).powi(2);
        self.residuals.push(p - y);
        self.residual += p - y;
        self.variances.push(variance);
        self.variance += variance;
        self.loss += eta.max(0.0) + small.ln_1p() - y * eta;
    }

    fn join(mut self, next: Self) -> Self {
        self.residuals.extend(next.residuals);
        self.residual += next.residual;
        self.variances.extend(next.variances);
        self.variance += next.variance;
        self.loss += next.loss;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_slope_and_curvature_by_hand() {
        let check = |eta: f64, y: f64, residual: f64, variance: f64, loss: f64| {
            let at = Local::at(&[eta], &[y]);
            let got = [at.residuals[0], at.variances[0], at.loss];
            for (got, expected) in got.iter().zip([residual, variance, loss]) {
                assert!((got - expected).abs() < 1e-15, "{eta} {y}: {got} {expected}");
            }
        };
        check(0.0, 1.0, -0.5, 0.25, 2.0_f64.ln());
        check(3.0_f64.ln(), 0.0, 0.75, 3.0 / 16.0, 4.0_f64.ln());
        check(-(3.0_f64.ln()), 0.0, 0.25, 3.0 / 16.0, (4.0_f64 / 3.0).ln());
        check(800.0, 1.0, 0.0, 0.0, 0.0);
        check(-800.0, 1.0, -1.0, 0.0, 800.0);
    }
}
