//! Each hypothesis by itself: counts, means, and the separation that it claims.

use hypothesaes_math::means::{self, Sampling};
use hypothesaes_math::proportions::{self, Share};
use hypothesaes_math::regression::columns::Column;
use hypothesaes_math::regression::{self, Setup, Term};
use hypothesaes_math::{Error as MathError, Estimate, Level};

use super::sample::{Part, Sample};
use super::target::{Kind, Target};
use super::{Effect, Source, Status, Tested, hypothesis_id};
use crate::Result;

/// Fewer texts than this on one side of a hypothesis are warned of.
const FEW: usize = 10;

/// Counts, means and separation of hypothesis `j`; its status is still open.
pub(super) fn test(sample: &Sample, j: usize, target: &Target) -> Result<Tested> {
    let rows = sample.answered(j);
    let x = sample.numbers(j, &rows);
    let mut tested = counted(sample, j, target, &rows, &x);
    let scale = Scale::of(sample, target, &rows);
    (tested.mean_present, tested.mean_absent) = scale.means(&x);
    let separation = difference(sample, target, &scale, &rows, &x, sample.is_plain());
    tested.separation = or_warn(&mut tested, separation)?;
    if sample.of.group.is_some() && tested.separation.is_some() {
        let unclustered = difference(sample, target, &scale, &rows, &x, true);
        tested.unclustered = or_warn(&mut tested, unclustered)?;
    }
    if sample.has_controls() && tested.separation.is_some() {
        let found = beside_controls(sample, &scale, &rows, &x);
        tested.adjusted = or_warn(&mut tested, found)?;
    }
    tested.direction = tested.claim().and_then(|e| target.direction(e.estimate.value));
    warn_of_few(&mut tested, sample.of.is_paired);
    Ok(tested)
}

fn counted(sample: &Sample, j: usize, target: &Target, rows: &[usize], x: &[f64]) -> Tested {
    let annotations = &sample.of.annotations[j];
    let is = |answer: bool| annotations.iter().filter(|a| **a == Some(answer)).count();
    let (yes, no) = (is(true), is(false));
    let n_present = x.iter().filter(|x| **x != 0.0).count();
    let none = None;
    Tested {
        id: hypothesis_id(j),
        class: target.class.clone(),
        status: Status::Untested,
        direction: none.clone(),
        n: rows.len(),
        n_present,
        n_absent: rows.len() - n_present,
        n_missing: target.y.len() - rows.len(),
        prevalence: (yes + no > 0).then(|| yes as f64 / (yes + no) as f64),
        mean_present: None,
        mean_absent: None,
        separation: None,
        unclustered: None,
        adjusted: None,
        joint: None,
        marginal: None,
        standardised: None,
        change: None,
        p_proportional: None,
        detectable: None,
        interaction: None,
        duplicate_of: none.clone(),
        warning: none,
    }
}

/// The target of some rows on the scale of separations, with the weights that belong to it.
pub(super) struct Scale {
    pub y: Vec<f64>,
    pub weights: Option<Vec<f64>>,
    is_paired: bool,
    is_class: bool,
}

impl Scale {
    /// Counts become rates, weighted by their exposure; who won becomes 1 and -1.
    pub fn of(sample: &Sample, target: &Target, rows: &[usize]) -> Self {
        let covariates = sample.of.covariates;
        let pick = |v: &Option<Vec<f64>>| -> Option<Vec<f64>> {
            v.as_ref().map(|v| rows.iter().map(|&i| v[i]).collect())
        };
        let (mut y, mut weights) = (target.gather(rows), pick(&covariates.weight));
        if let Some(exposure) = pick(&covariates.exposure) {
            y.iter_mut().zip(&exposure).for_each(|(y, e)| *y /= e);
            weights = Some(match weights {
                Some(weights) => weights.iter().zip(&exposure).map(|(w, e)| w * e).collect(),
                None => exposure,
            });
        }
        if sample.of.is_paired && target.kind == Kind::Class {
            y = y.into_iter().map(|y| 2.0 * y - 1.0).collect();
        }
        Self { y, weights, is_paired: sample.of.is_paired, is_class: target.kind == Kind::Class }
    }

    fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// Means where the concept is, and where it is not; of pairs, of the side that has it: the share
    /// that it wins, or by how much it does.
    fn means(&self, x: &[f64]) -> (Option<f64>, Option<f64>) {
        let mean = |keep: &dyn Fn(f64) -> bool| {
            let rows = || (0..x.len()).filter(|&i| keep(x[i]));
            let total: f64 = rows().map(|i| self.weight(i)).sum();
            let sign = |i: usize| if self.is_paired { x[i] } else { 1.0 };
            let sum: f64 = rows().map(|i| self.weight(i) * sign(i) * self.y[i]).sum();
            (total > 0.0).then(|| sum / total)
        };
        let present = mean(&|x| x != 0.0);
        match (self.is_paired, self.is_class) {
            (true, true) => (present.map(|won| f64::midpoint(won, 1.0)), None),
            (true, false) => (present, None),
            (false, _) => (present, mean(&|x| x == 0.0)),
        }
    }
}

/// `Err` in the inner result says why there is no effect.
type Found = Result<Result<Option<Effect>, String>>;

/// The difference of means; with `independent` rows as if there were no groups.
fn difference(
    sample: &Sample,
    target: &Target,
    scale: &Scale,
    rows: &[usize],
    x: &[f64],
    independent: bool,
) -> Found {
    let part = sample.part(rows.to_vec());
    let sampling = Sampling {
        weights: scale.weights.as_deref(),
        clusters: part.clusters.as_deref().filter(|_| !independent),
        seed: sample.seed,
    };
    let (level, is_class) = (sample.level, target.kind == Kind::Class);
    let found = match (sample.of.is_paired, sampling.is_plain()) {
        (true, _) if is_class => {
            let won: Vec<f64> = scale.y.iter().map(|y| f64::midpoint(*y, 1.0)).collect();
            proportions::pairs(x, &won, &sampling, level).map(|found| {
                let source =
                    |p: proportions::Pairs| p.variance.map_or(Source::Binomial, Into::into);
                found.map(|p| (p.separation, source(p)))
            })
        }
        (true, _) => of_the_side_that_has_it(scale, x, &sampling, level),
        (false, true) => Ok(plain(scale, x, is_class, level)),
        (false, false) => {
            let separation = if is_class { proportions::separation } else { means::separation };
            separation(x, &scale.y, &sampling, level).map(|found| {
                found.map(|s| (s.estimate, s.variance.map_or(Source::Classical, Into::into)))
            })
        }
    };
    let effect = |(estimate, source): (Estimate, Source)| {
        let source = estimate.p_value.map(|_| source);
        Effect::new(estimate, x.len(), source)
    };
    said(found.map(|found| found.map(effect)))
}

/// Rows that are alike and independent.
fn plain(scale: &Scale, x: &[f64], is_class: bool, level: Level) -> Option<(Estimate, Source)> {
    let side = |value: f64| -> Vec<f64> {
        x.iter().zip(&scale.y).filter(|(x, _)| **x == value).map(|(_, y)| *y).collect()
    };
    let (present, absent) = (side(1.0), side(0.0));
    if is_class {
        let share = |y: &[f64]| Share {
            successes: y.iter().filter(|y| **y != 0.0).count(),
            trials: y.len(),
        };
        let found = proportions::difference_mid_p(share(&present), share(&absent), level)?;
        return Some((found, Source::Newcombe));
    }
    let (found, spreads) = means::difference(&present, &absent, level)?;
    Some((found, spreads.into()))
}

/// The mean of a number that says by how much the first text won, turned to the side that has the
/// concept, over the pairs in which one side has it.
fn of_the_side_that_has_it(
    scale: &Scale,
    x: &[f64],
    sampling: &Sampling,
    level: Level,
) -> hypothesaes_math::Result<Option<(Estimate, Source)>> {
    let rows: Vec<usize> = (0..x.len()).filter(|&i| x[i] != 0.0).collect();
    if rows.len() < 2 {
        return Ok(None);
    }
    let signed: Vec<f64> = rows.iter().map(|&i| x[i] * scale.y[i]).collect();
    let weights: Option<Vec<f64>> = sampling.weights.map(|w| rows.iter().map(|&i| w[i]).collect());
    let clusters: Option<Vec<u32>> =
        sampling.clusters.map(|c| rows.iter().map(|&i| c[i]).collect());
    let setup = Setup {
        weights: weights.as_deref(),
        clusters: clusters.as_deref(),
        seed: sampling.seed,
        ..Setup::new(regression::Model::LeastSquares, 0, level)
    };
    let term = setup.infer(&[], &signed)?.terms[0];
    Ok(Some((term.estimate, term.variance.map_or(Source::Classical, Into::into))))
}

/// The difference beside the controls, by least squares.
fn beside_controls(sample: &Sample, scale: &Scale, rows: &[usize], x: &[f64]) -> Found {
    let mut part = sample.part(rows.to_vec());
    part.weights.clone_from(&scale.weights);
    let columns = vec![x.to_vec()];
    match part.classify(&columns, true)?[0] {
        Column::Fitted => {}
        Column::Constant => return Ok(Ok(None)),
        Column::Absorbed => return Ok(Err("does not vary within the fixed effects".into())),
        _ => return Ok(Err("follows from the controls".into())),
    }
    let terms = regress(&part, columns, &scale.y)?;
    Ok(terms.map(|terms| terms.first().map(|term| effect(term, rows.len()))))
}

/// A refusal by the data becomes words; any other stays an error.
fn said<T>(found: hypothesaes_math::Result<T>) -> Result<Result<T, String>> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(MathError::Data(why) | MathError::Diverged(why)) => Ok(Err(why)),
        Err(other) => Err(other.into()),
    }
}

/// The terms of these columns in a least-squares regression beside the part's controls.
pub(super) fn regress(
    part: &Part,
    mut columns: Vec<Vec<f64>>,
    y: &[f64],
) -> Result<Result<Vec<Term>, String>> {
    let tested = columns.len();
    columns.extend(part.controls.iter().cloned());
    let absorbed = part.factors();
    let setup = part.setup(regression::Model::LeastSquares, tested, &absorbed);
    let found = said(setup.infer(&columns, y))?;
    Ok(found.map(|found| found.columns()[..tested].to_vec()))
}

/// A term as an effect on `n` rows.
pub(super) fn effect(term: &Term, n: usize) -> Effect {
    Effect {
        std_error_robust: term.robust,
        std_error_hc3: term.hc3,
        std_error_classical: term.classical,
        ..Effect::new(term.estimate, n, term.variance.map(Into::into))
    }
}

fn or_warn(tested: &mut Tested, found: Found) -> Result<Option<Effect>> {
    Ok(found?.unwrap_or_else(|why| {
        tested.warn(&why);
        None
    }))
}

fn warn_of_few(tested: &mut Tested, is_paired: bool) {
    let (present, absent) = (tested.n_present, tested.n_absent);
    match (present, absent, is_paired) {
        (0, 0, _) => tested.warn("no held-out text is annotated"),
        (0, _, true) => tested.warn("true of both texts or of none in every held-out pair"),
        (_, _, true) if present < FEW => {
            tested.warn(&format!("tells {present} held-out pairs apart only"));
        }
        (_, _, true) => {}
        (0, _, _) => tested.warn("true of no held-out text"),
        (_, 0, _) => tested.warn("true of every held-out text"),
        _ if present < FEW => tested.warn(&format!("true of {present} held-out texts only")),
        _ if absent < FEW => tested.warn(&format!("true of all but {absent} held-out texts")),
        _ => {}
    }
}
