//! The losses that are not quadratic: value, slope and curvature at one linear predictor.

/// A loss of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lasso) enum Family {
    /// `log(1 + exp(eta)) - y eta`, for a target of 0 and 1.
    Binomial,
    /// `exp(eta) - y eta`, for counts.
    Poisson,
}

/// Loss, its slope by the linear predictor (`mean - y`) and its curvature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct At {
    pub loss: f64,
    pub slope: f64,
    pub curvature: f64,
}

impl Family {
    pub(super) fn at(self, eta: f64, y: f64) -> At {
        match self {
            Self::Binomial => {
                // The exponential of a negative number only, so that nothing overflows; the two
                // classes mirror each other to the bit.
                let small = (-eta.abs()).exp();
                let (rare, common) = (small / (1.0 + small), 1.0 / (1.0 + small));
                let (p, q) = if eta > 0.0 { (common, rare) } else { (rare, common) };
                let (slope, along) = if y == 0.0 { (p, eta) } else { (-q, -eta) };
                At { loss: along.max(0.0) + (1.0 + small).ln(), slope, curvature: rare * common }
            }
            Self::Poisson => {
                let mean = eta.exp();
                At { loss: mean - y * eta, slope: mean - y, curvature: mean }
            }
        }
    }

    /// Whether a mean is one that no finite linear predictor has.
    pub(super) fn is_extreme(self, mean: f64) -> bool {
        mean == 0.0 || (self == Self::Binomial && mean == 1.0)
    }

    /// The linear predictor of a mean that is not extreme.
    pub(super) fn link(self, mean: f64) -> f64 {
        match self {
            Self::Binomial => (mean / (1.0 - mean)).ln(),
            Self::Poisson => mean.ln(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_loss_by_hand() {
        let check = |eta: f64, y: f64, slope: f64, curvature: f64, loss: f64| {
            let at = Family::Binomial.at(eta, y);
            for (got, expected) in
                [at.slope, at.curvature, at.loss].iter().zip([slope, curvature, loss])
            {
                assert!((got - expected).abs() < 1e-15, "{eta} {y}: {got} {expected}");
            }
        };
        check(0.0, 1.0, -0.5, 0.25, 2.0_f64.ln());
        check(3.0_f64.ln(), 0.0, 0.75, 3.0 / 16.0, 4.0_f64.ln());
        check(-(3.0_f64.ln()), 0.0, 0.25, 3.0 / 16.0, (4.0_f64 / 3.0).ln());
        check(800.0, 1.0, 0.0, 0.0, 0.0);
        check(-800.0, 1.0, -1.0, 0.0, 800.0);
    }

    #[test]
    fn the_classes_mirror_each_other_to_the_bit() {
        for eta in [0.3, -1.7, 12.0, -40.0] {
            let (a, b) = (Family::Binomial.at(eta, 1.0), Family::Binomial.at(-eta, 0.0));
            assert_eq!(a, At { slope: -b.slope, ..b });
        }
    }

    #[test]
    fn slopes_are_those_of_the_losses() {
        for family in [Family::Binomial, Family::Poisson] {
            for eta in [-2.0, 0.4, 1.5] {
                let (low, at, high) =
                    (family.at(eta - 1e-5, 1.0), family.at(eta, 1.0), family.at(eta + 1e-5, 1.0));
                assert!(((high.loss - low.loss) / 2e-5 - at.slope).abs() < 1e-9);
                assert!(((high.slope - low.slope) / 2e-5 - at.curvature).abs() < 1e-9);
            }
        }
    }
}
