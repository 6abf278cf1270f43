//! Whether effects differ between strata, or even turn round.

use hypothesaes_math::interaction::{self, Stratum};
use hypothesaes_math::multiplicity::holm;
use hypothesaes_math::regression::Columns;
use hypothesaes_math::regression::columns::Column;

use super::answered::Answered;
use super::sample::Sample;
use super::single::{effect, regress};
use super::target::Target;
use super::{Interaction, Tested, Within};
use crate::Result;
use crate::data::Factor;

/// Every hypothesis within every stratum; its differences are written into the hypothesis.
///
/// One least-squares regression per hypothesis with its column once for every stratum, beside strata
/// and controls; equality and reversal as [`interaction`] has them.
pub(super) fn within(
    sample: &Sample,
    target: &Target,
    hypotheses: &mut [Tested],
) -> Result<Vec<Within>> {
    let Some(strata) = &sample.of.covariates.strata else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (j, tested) in hypotheses.iter_mut().enumerate() {
        let found = one(sample, target, strata, j, tested)?;
        let effects: Vec<Stratum> = found
            .iter()
            .filter_map(|w| Some(w.separation?.estimate))
            .filter_map(|e| Some(Stratum { effect: e.value, std_error: e.std_error? }))
            .collect();
        tested.interaction = interaction::compare(&effects).map(|found| Interaction {
            p_value: Some(found.p_heterogeneity),
            p_holm: None,
            p_reversal: Some(found.p_reversal),
            p_reversal_holm: None,
        });
        all.extend(found);
    }
    adjust(hypotheses);
    Ok(all)
}

fn one(
    sample: &Sample,
    target: &Target,
    strata: &Factor,
    j: usize,
    tested: &Tested,
) -> Result<Vec<Within>> {
    let Answered { part, x, y } = Answered::of(sample, target, j);
    let stratum = |i: usize| strata.of_row[part.rows[i]] as usize;
    let of_stratum = |i: usize, s: usize| if stratum(i) == s { x[i] } else { 0.0 };
    let columns = Columns::from_fn(x.len(), strata.levels.len(), of_stratum)?;
    let kinds = part.classify(&columns, true)?;
    let fitted: Vec<usize> = (0..kinds.len()).filter(|&s| kinds[s] == Column::Fitted).collect();
    let terms = regress(&part, &columns.select(&fitted), &y)?.unwrap_or_default();
    let within = |(s, name): (usize, &String)| {
        let in_stratum = || (0..x.len()).filter(|&i| stratum(i) == s);
        let n = in_stratum().count();
        let term = fitted.iter().position(|&f| f == s).and_then(|at| terms.get(at));
        Within {
            id: tested.id.clone(),
            class: target.class.clone(),
            stratum: name.clone(),
            n,
            n_present: in_stratum().filter(|&i| x[i] != 0.0).count(),
            separation: term.map(|term| effect(term, n)),
        }
    };
    Ok(strata.levels.iter().enumerate().map(within).filter(|w| w.n > 0).collect())
}

fn adjust(hypotheses: &mut [Tested]) {
    let column = |part: fn(&Interaction) -> Option<f64>| -> Vec<Option<f64>> {
        holm(&hypotheses.iter().map(|t| t.interaction.as_ref().and_then(part)).collect::<Vec<_>>())
    };
    let (equal, turned) = (column(|i| i.p_value), column(|i| i.p_reversal));
    for ((tested, equal), turned) in hypotheses.iter_mut().zip(equal).zip(turned) {
        if let Some(found) = &mut tested.interaction {
            (found.p_holm, found.p_reversal_holm) = (equal, turned);
        }
    }
}
