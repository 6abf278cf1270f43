//! `report`: the page, the charts, the summary, the data dictionary and the lock file.

use hypothesaes_math::Rows;

use super::{Findings, Found};
use crate::Result;
use crate::annotate::Annotations;
use crate::charts::{Results, Shown, charts, map};
use crate::data::{Dataset, Split};
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
    let settings = (options.to_toml(), options.seed);
    let provenance = papers::provenance(run, outcome, settings)?;
    let dictionary = dictionary(&run.dictionary());
    let summary = papers::summary(outcome);
    let found = findings.found.as_ref();
    let none = Annotations::default();
    run.stage(
        Stage::Report,
        identity,
        watch,
        |out| {
            out.table(&dictionary)?;
            out.bytes("README.md", papers::FOLDER.as_bytes())?;
            out.bytes("summary.md", summary.as_bytes())?;
            let heldout = data.texts_in(Split::Heldout);
            let of_heldout = |found: &Found| found.neurons.of(&found.x, &heldout);
            let z = found.map(of_heldout).transpose()?;
            let shown = Shown {
                data,
                annotations: outcome.heldout.as_ref().map_or(&none, |heldout| &heldout.annotations),
                z: z.as_ref(),
                x: found.map(|found| &found.x as &dyn Rows),
                seed: options.seed,
            };
            let map = map(&shown)?;
            let results = Results {
                outcome,
                overlap: &outcome.overlap,
                selection: found.map(|found| &found.selection),
                saes: found.map_or(&[], |found| &found.neurons.models),
                shown: Some(shown),
                map: map.as_ref(),
            };
            let charts = papers::plots(out, charts(&results), watch)?;
            let material = Material {
                results,
                charts: &charts,
                shown,
                concepts: &findings.concepts(),
                labelled: found.map_or(&[], |found| &found.labelled),
                language: options.embed.language,
                provenance: &provenance,
            };
            let page = page(&material, &options.report)?;
            if let Some(left_out) = page.left_out {
                watch.say(&format!(
                    "{PAGE}: left out, so that it stays small: {left_out} (report.max_mb)"
                ));
            }
            out.bytes(PAGE, page.html.as_bytes())
        },
        |_| Ok(()),
    )?;
    let lock = papers::lock(options, run, outcome);
    run.write(LOCK, &lock)
}
