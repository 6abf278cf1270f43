//! Each hypothesis by itself: counts, means, and the separation that it claims.

use hypothesaes_math::means::{self, Sampling};
use hypothesaes_math::proportions::{self, Share};
use hypothesaes_math::regression::columns::Column;
use hypothesaes_math::regression::{self, Columns, Setup, Term, Variance};
use hypothesaes_math::{Error as MathError, Estimate, Level};

use super::answered::Answered;
use super::sample::{Part, Sample};
use super::target::{Kind, Target};
use super::{Effect, Source, Status, Tested, hypothesis_id};
use crate::Result;

/// Fewer texts than this on one side of a hypothesis are warned of.
const FEW: usize = 10;

/// Counts, means and separation of hypothesis `j`; its status is still open.
pub(super) fn test(sample: &Sample, j: usize, target: &Target) -> Result<Tested> {
    let answered = Answered::of(sample, target, j);
    let mut tested = counted(sample, j, target, &answered.part.rows, &answered.x);
    (tested.mean_present, tested.mean_absent) =
        answered.means(sample.of.is_paired, target.kind == Kind::Class);
    let separation = difference(sample, target, &answered, sample.is_plain());
    tested.separation = or_warn(&mut tested, separation)?;
    if sample.of.group.is_some() && tested.separation.is_some() {
        let unclustered = difference(sample, target, &answered, true);
        tested.unclustered = or_warn(&mut tested, unclustered)?;
    }
    if sample.has_controls() && tested.separation.is_some() {
        let found = beside_controls(&answered);
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

/// `Err` in the inner result says why there is no effect.
type Found = Result<Result<Option<Effect>, String>>;

/// The difference of means; with `independent` rows as if there were no groups.
fn difference(sample: &Sample, target: &Target, answered: &Answered, independent: bool) -> Found {
    let Answered { part, x, y } = answered;
    let sampling = Sampling {
        weights: part.weights.as_deref(),
        clusters: part.clusters.as_deref().filter(|_| !independent),
        seed: sample.seed,
    };
    let (level, is_class) = (sample.level, target.kind == Kind::Class);
    let found = match (sample.of.is_paired, sampling.is_plain()) {
        (true, _) if is_class => {
            let won: Vec<f64> = y.iter().map(|y| f64::midpoint(*y, 1.0)).collect();
            proportions::pairs(x, &won, &sampling, level).map(|found| {
                let source =
                    |p: proportions::Pairs| p.variance.map_or(Source::Binomial, Into::into);
                found.map(|p| (p.separation, source(p)))
            })
        }
        (true, _) => of_the_side_that_has_it(x, y, &sampling, level),
        (false, true) => Ok(plain(x, y, is_class, level)),
        (false, false) => {
            let separation = if is_class { proportions::separation } else { means::separation };
            separation(x, y, &sampling, level).map(|found| {
                found.map(|s| (s.estimate, s.variance.unwrap_or(Variance::Classical).into()))
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
fn plain(x: &[f64], y: &[f64], is_class: bool, level: Level) -> Option<(Estimate, Source)> {
    if is_class {
        let share = |value: f64| {
            let side = x.iter().zip(y).filter(|(x, _)| **x == value).map(|(_, y)| *y);
            side.fold(Share { successes: 0, trials: 0 }, |share, y| Share {
                successes: share.successes + usize::from(y != 0.0),
                trials: share.trials + 1,
            })
        };
        let found = proportions::difference_mid_p(share(1.0), share(0.0), level)?;
        return Some((found, Source::Newcombe));
    }
    let (found, spreads) = means::difference_where(x, y, level)?;
    Some((found, spreads.into()))
}

/// The mean of a number that says by how much the first text won, turned to the side that has the
/// concept, over the pairs in which one side has it.
fn of_the_side_that_has_it(
    x: &[f64],
    y: &[f64],
    sampling: &Sampling,
    level: Level,
) -> hypothesaes_math::Result<Option<(Estimate, Source)>> {
    let rows: Vec<usize> = (0..x.len()).filter(|&i| x[i] != 0.0).collect();
    if rows.len() < 2 {
        return Ok(None);
    }
    let signed: Vec<f64> = rows.iter().map(|&i| x[i] * y[i]).collect();
    let weights: Option<Vec<f64>> = sampling.weights.map(|w| rows.iter().map(|&i| w[i]).collect());
    let clusters: Option<Vec<u32>> =
        sampling.clusters.map(|c| rows.iter().map(|&i| c[i]).collect());
    let setup = Setup {
        weights: weights.as_deref(),
        clusters: clusters.as_deref(),
        seed: sampling.seed,
        ..Setup::new(regression::Model::LeastSquares, 0, level)
    };
    let term = setup.infer(&Columns::none(signed.len()), &signed)?.terms[0];
    Ok(Some((term.estimate, term.variance.unwrap_or(Variance::Classical).into())))
}

/// The difference beside the controls, by least squares.
fn beside_controls(Answered { part, x, y }: &Answered) -> Found {
    let columns = Columns::from_fn(x.len(), 1, |i, _| x[i])?;
    match part.classify(&columns, true)?[0] {
        Column::Fitted => {}
        Column::Constant => return Ok(Ok(None)),
        Column::Absorbed => return Ok(Err("does not vary within the fixed effects".into())),
        _ => return Ok(Err("follows from the controls".into())),
    }
    let terms = regress(part, &columns, y)?;
    Ok(terms.map(|terms| terms.first().map(|term| effect(term, y.len()))))
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
    columns: &Columns,
    y: &[f64],
) -> Result<Result<Vec<Term>, String>> {
    let tested = columns.cols();
    let columns = columns.beside(&part.controls)?;
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
