//! What a run would do, found out without doing it.

use std::path::Path;

use serde::Serialize;

use super::identity::{identity, input_content};
use crate::options::Options;
use crate::store::{self, RunDir, Stage};
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

/// The stages up to `last` as [`super::run`] would do them. Writes nothing but the lock of a run
/// directory that is there already.
///
/// # Errors
/// Options out of range, an input that cannot be read, a run directory in use.
pub fn plan(options: &Options, folder: &Path, last: Stage) -> Result<Vec<PlannedStage>> {
    options.check()?;
    let stages = Stage::ALL.into_iter().filter(|stage| *stage <= last);
    let made = |stage| PlannedStage { stage, reused: false, again_because: None };
    if !store::is_run(folder) {
        data::content_hash(&options.data)?;
        return Ok(stages.map(made).collect());
    }
    let run = RunDir::open(folder)?;
    let input = input_content(options, &run)?;
    let mut anew = false;
    let mut plan = Vec::new();
    for stage in stages {
        let mut planned = made(stage);
        if !anew && run.stands(stage) {
            planned.again_because =
                run.why_again(stage, &identity(stage, options, &run, &input))?;
            planned.reused = planned.again_because.is_none();
        }
        anew |= !planned.reused;
        plan.push(planned);
    }
    Ok(plan)
}
