//! What is held constant while neurons are chosen, from the data that stand beside the texts.

use hypothesaes_math::Setting;
use hypothesaes_math::controls::Controls;
use hypothesaes_math::lasso::Loss;

use super::Discover;
use crate::Result;
use crate::data::{Control, Covariates, Task, standardised};

/// Weights, controls, the exposure of counts, and whether rows are pairs.
///
/// # Errors
/// [`crate::Error::Math`] if something does not have one entry per row.
pub(super) fn of(discover: &Discover) -> Result<Setting> {
    let Covariates { weight, exposure, controls, fixed_effects, strata } = discover.covariates;
    let mut held = Controls::default();
    for control in controls {
        match control {
            Control::Numeric { values, .. } => {
                held.columns.push(standardised(values, discover.is_paired));
            }
            Control::Categorical(factor) => held.factors.push(factor.of_row.clone()),
        }
    }
    if !discover.is_paired {
        held.factors.extend(fixed_effects.iter().chain(strata).map(|f| f.of_row.clone()));
    }
    let of_counts = exposure.as_ref().filter(|_| *discover.task == Task::Count);
    let setting = Setting {
        weights: weight.clone(),
        controls: held,
        offset: of_counts.map(|e| e.iter().map(|v| v.ln()).collect()),
        centred: !discover.is_paired,
        excluded: Vec::new(),
    };
    setting.check(discover.z)?;
    Ok(setting)
}

/// The loss that suits the target; classes have one of their own.
pub(super) fn loss(task: &Task) -> Loss {
    match task {
        Task::Binary { .. } | Task::Multiclass { .. } => Loss::Logistic,
        Task::Count => Loss::Poisson,
        Task::Continuous | Task::Ordinal { .. } => Loss::Squared,
    }
}

/// The target that scores compare: of pairs, 1 for the first text and -1 for the second.
pub(super) fn target(discover: &Discover) -> Vec<f64> {
    match discover.task {
        Task::Binary { .. } if discover.is_paired => {
            discover.y.iter().map(|y| 2.0 * y - 1.0).collect()
        }
        _ => discover.y.to_vec(),
    }
}
