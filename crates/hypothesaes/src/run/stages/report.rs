//! `report`: the page, the charts, the summary, the data dictionary and the lock file.

use super::Findings;
use crate::Result;
use crate::annotate::Annotations;
use crate::charts::{Results, charts};
use crate::data::Dataset;
use crate::report::{Material, page};
use crate::run::{Context, Outcome, papers};
use crate::store::Stage;
use crate::table::dictionary::dictionary;

const LOCK: &str = "hypothesaes.lock";
pub(crate) const PAGE: &str = "report.html";

pub(crate) fn report(
    context: &mut Context,
    outcome: &Outcome,
    (data, findings): (&Dataset, &Findings),
) -> Result<()> {
    let identity = context.identity(Stage::Report);
    let Context { run, options, watch, .. } = context;
    let (options, watch) = (*options, *watch);
    let dictionary = dictionary(&run.dictionary());
    let summary = papers::summary(outcome);
    let found = findings.found.as_ref();
    let results = Results {
        outcome,
        overlap: &outcome.overlap,
        selection: found.map(|found| &found.selection),
        saes: found.map_or(&[], |found| &found.neurons.models),
    };
    let none = Annotations::default();
    run.stage(
        Stage::Report,
        identity,
        watch,
        |out| {
            out.table(&dictionary)?;
            out.bytes("README.md", papers::FOLDER.as_bytes())?;
            out.bytes("summary.md", summary.as_bytes())?;
            let charts = papers::plots(out, charts(&results), watch)?;
            let material = Material {
                results,
                charts: &charts,
                data,
                concepts: &findings.concepts(),
                annotations: outcome.heldout.as_ref().map_or(&none, |heldout| &heldout.annotations),
                z: found.map(|found| &found.neurons.z),
                language: options.embed.language,
                options: &options.to_toml(),
                seed: options.seed,
            };
            let page = page(&material, &options.report)?;
            if let Some(left_out) = page.left_out {
                watch.say(&format!("{PAGE}: {left_out} (report.max_mb)"));
            }
            out.bytes(PAGE, page.html.as_bytes())
        },
        |_| Ok(()),
    )?;
    let lock = papers::lock(options, run, outcome);
    run.write(LOCK, &lock)
}
