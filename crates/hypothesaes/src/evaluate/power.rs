//! The smallest separation that would have been seen: what a hypothesis that does not hold leaves
//! open.

use hypothesaes_math::Level;
use hypothesaes_math::power::{Outcome, Study, bonferroni, smallest};
use rayon::prelude::*;

use super::answered::Answered;
use super::sample::Sample;
use super::target::{Kind, Target};
use super::{EvaluateOptions, Tested};

/// Steps of the search for a share of wins, whose error depends on itself.
const STEPS: usize = 100;

/// Writes the detectable separation into each hypothesis, if `tests` are made in all.
///
/// At the level of Bonferroni's test, which Holm's first step is; texts of a group count for as many
/// independent ones as their errors say.
pub(super) fn fill(
    sample: &Sample,
    target: &Target,
    tests: usize,
    options: &EvaluateOptions,
    hypotheses: &mut [Tested],
) {
    let alpha = bonferroni(options.alpha, tests);
    hypotheses.par_iter_mut().enumerate().for_each(|(j, tested)| {
        tested.detectable = if sample.of.is_paired {
            of_pairs(sample, target, j, tested, alpha, options.power)
        } else {
            of_texts(sample, target, j, tested, alpha, options.power)
        };
    });
}

fn of_texts(
    sample: &Sample,
    target: &Target,
    j: usize,
    tested: &Tested,
    alpha: f64,
    power: f64,
) -> Option<f64> {
    let Answered { x, y, .. } = Answered::of(sample, target, j);
    let mean = y.iter().sum::<f64>() / y.len().max(1) as f64;
    let outcome = match target.kind {
        Kind::Class => Outcome::Binary { mean },
        _ => Outcome::Continuous { sd: spread(&y, &x)? },
    };
    let study = Study {
        texts: y.len(),
        prevalence: tested.n_present as f64 / y.len() as f64,
        alpha,
        design_effect: design_effect(tested),
        clusters: sample.n_groups(),
    };
    let found = smallest(power, outcome, &study).ok()?;
    // In whichever direction more is needed.
    let sizes = [found.positive, found.negative].into_iter().flatten().map(f64::abs);
    sizes.reduce(f64::max)
}

/// `d sqrt(n) = z_alpha sd(0) + z_power sd(d)`, as a test of one mean.
fn of_pairs(
    sample: &Sample,
    target: &Target,
    j: usize,
    tested: &Tested,
    alpha: f64,
    power: f64,
) -> Option<f64> {
    let Answered { x, y, .. } = Answered::of(sample, target, j);
    let signed: Vec<f64> =
        x.iter().zip(y.iter()).filter(|(x, _)| **x != 0.0).map(|(x, y)| x * y).collect();
    let n = signed.len() as f64 / design_effect(tested);
    if n < 2.0 || power <= 0.5 {
        return None;
    }
    let [of_test, of_power] =
        [1.0 - alpha, 2.0 * power - 1.0].map(|c| Level::new(c).ok().map(Level::normal_quantile));
    let (of_test, of_power) = (of_test?, of_power?);
    let mut found = 0.0;
    for _ in 0..STEPS {
        let (none, some) = match target.kind {
            Kind::Class => (1.0, (1.0_f64 - found * found).max(0.0).sqrt()),
            _ => [spread(&signed, &vec![0.0; signed.len()])?; 2].into(),
        };
        found = (of_test * none + of_power * some) / n.sqrt();
    }
    (target.kind != Kind::Class || found <= 1.0).then_some(found)
}

/// How much larger the variance is than that of independent texts.
fn design_effect(tested: &Tested) -> f64 {
    let error = |effect: &Option<super::Effect>| effect.and_then(|e| e.estimate.std_error);
    match (error(&tested.separation), error(&tested.unclustered)) {
        (Some(clustered), Some(independent)) if independent > 0.0 => {
            (clustered / independent).powi(2).max(1.0)
        }
        _ => 1.0,
    }
}

/// Standard deviation of `y` about its mean where `x` is 0 and where it is not.
fn spread(y: &[f64], x: &[f64]) -> Option<f64> {
    let mut squares = 0.0;
    for side in [true, false] {
        let of = || x.iter().zip(y).filter(|(x, _)| (**x != 0.0) == side).map(|(_, y)| *y);
        let mean = of().sum::<f64>() / of().count().max(1) as f64;
        squares += of().map(|y| (y - mean).powi(2)).sum::<f64>();
    }
    let sd = (squares / (y.len().saturating_sub(2)).max(1) as f64).sqrt();
    (sd > 0.0).then_some(sd)
}
