//! `report`: the summary, the data dictionary and the lock file.

use crate::Result;
use crate::run::{Context, Outcome, papers};
use crate::store::Stage;
use crate::table::dictionary::dictionary;

const LOCK: &str = "hypothesaes.lock";

pub(crate) fn report(context: &mut Context, outcome: &Outcome) -> Result<()> {
    let identity = context.identity(Stage::Report);
    let Context { run, options, watch, .. } = context;
    let dictionary = dictionary(&run.dictionary());
    let summary = papers::summary(outcome);
    run.stage(
        Stage::Report,
        identity,
        *watch,
        |out| {
            out.table(&dictionary)?;
            out.bytes("README.md", papers::FOLDER.as_bytes())?;
            out.bytes("summary.md", summary.as_bytes())
        },
        |_| Ok(()),
    )?;
    let lock = papers::lock(options, run, outcome);
    run.write(LOCK, &lock)
}
