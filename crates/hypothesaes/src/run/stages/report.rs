//! `report`: the summary, the charts, the data dictionary and the lock file.

use super::Findings;
use crate::Result;
use crate::charts::{Results, charts};
use crate::run::{Context, Outcome, papers};
use crate::store::Stage;
use crate::table::dictionary::dictionary;

const LOCK: &str = "hypothesaes.lock";

pub(crate) fn report(context: &mut Context, outcome: &Outcome, findings: &Findings) -> Result<()> {
    let identity = context.identity(Stage::Report);
    let Context { run, options, watch, .. } = context;
    let dictionary = dictionary(&run.dictionary());
    let summary = papers::summary(outcome);
    let found = findings.found.as_ref();
    let results = Results {
        outcome,
        overlap: &outcome.overlap,
        selection: found.map(|found| &found.selection),
        saes: found.map_or(&[], |found| &found.neurons.models),
    };
    run.stage(
        Stage::Report,
        identity,
        *watch,
        |out| {
            out.table(&dictionary)?;
            out.bytes("README.md", papers::FOLDER.as_bytes())?;
            out.bytes("summary.md", summary.as_bytes())?;
            papers::plots(out, &charts(&results), *watch)
        },
        |_| Ok(()),
    )?;
    let lock = papers::lock(options, run, outcome);
    run.write(LOCK, &lock)
}
