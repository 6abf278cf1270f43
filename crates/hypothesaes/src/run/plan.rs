//! What a run would do, found out without doing it.

use std::path::Path;

use serde::Serialize;

use super::estimate::{Estimate, estimate};
use super::identity::{identity, input_content};
use super::settled;
use super::stages::ROWS;
use crate::data::read_rows;
use crate::models::Models;
use crate::options::Options;
use crate::store::{self, RunDir, Stage};
use crate::watch::Watch;
use crate::{Result, data};

/// What would become of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStage {
    pub stage: Stage,
    /// Its result stands and would be read back.
    pub reused: bool,
    /// Why it would be done again although it was done before; unknown for the stages after one
    /// that is done anew, as it depends on what that one makes.
    pub again_because: Option<String>,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub stages: Vec<PlannedStage>,
    /// What it would ask of language models, if anything.
    pub estimate: Option<Estimate>,
}

/// The stages up to `last` as [`super::run`] would do them, and what they would ask. Writes nothing
/// but the lock of a run directory that is there already; asks nothing.
///
/// # Errors
/// Options out of range, an input that cannot be read, a run directory in use.
pub fn plan(
    options: &Options,
    folder: &Path,
    last: Stage,
    models: Option<&Models>,
    watch: &dyn Watch,
) -> Result<Plan> {
    let options = &settled(options, models);
    options.check()?;
    let (stages, kept) = if store::is_run(folder) {
        let mut run = RunDir::open(folder)?;
        if models.is_none_or(Models::is_frozen) {
            run.ask_no_more();
        }
        let input = input_content(options, &run)?;
        (stages(options, &run, &input, last, models)?, Some(run))
    } else {
        data::content_hash(&options.data)?;
        let made = |stage| PlannedStage { stage, reused: false, again_because: None };
        (up_to(last, options).map(made).collect(), None)
    };
    let Some(models) = models.filter(|models| !models.is_frozen()) else {
        return Ok(Plan { stages, estimate: None });
    };
    let stands = stages.iter().any(|p| p.stage == Stage::Data && p.reused);
    let data = match kept.as_ref().filter(|_| stands) {
        Some(run) => read_rows(&run.path().join(ROWS))?,
        None => data::read(&options.data, &options.split, options.seed, watch)?.dataset,
    };
    let estimate = estimate(options, &data, &stages, models, kept.as_ref())?;
    let estimate = Some(estimate).filter(|estimate| !estimate.rows.is_empty());
    Ok(Plan { stages, estimate })
}

/// What would become of the stages of a run directory.
pub(super) fn stages(
    options: &Options,
    run: &RunDir,
    input: &str,
    last: Stage,
    models: Option<&Models>,
) -> Result<Vec<PlannedStage>> {
    let mut anew = false;
    let mut plan = Vec::new();
    for stage in up_to(last, options) {
        let mut planned = PlannedStage { stage, reused: false, again_because: None };
        if !anew && run.stands(stage) {
            let identity = identity(stage, options, run, input, models);
            planned.again_because = run.why_again(stage, &identity)?;
            planned.reused = planned.again_because.is_none();
        }
        anew |= !planned.reused;
        plan.push(planned);
    }
    Ok(plan)
}

/// The stages that are done: where nothing is to be discovered, those of the test.
fn up_to(last: Stage, options: &Options) -> impl Iterator<Item = Stage> {
    let discovers = options.discovers();
    let of_the_test = |stage| stage == Stage::Data || stage >= Stage::Annotate;
    Stage::ALL.into_iter().filter(move |&s| s <= last && (discovers || of_the_test(s)))
}
