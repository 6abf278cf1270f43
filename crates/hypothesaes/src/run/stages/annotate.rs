//! `annotate`: which hypothesis is true of which held-out text.

use super::{Findings, vectors_for_meaning};
use crate::Result;
use crate::annotate::{self, Annotations, annotator, calibration_table};
use crate::data::{Dataset, Split};
use crate::evaluate;
use crate::run::Context;
use crate::store::Stage;
use crate::table::{self, Column};

pub(crate) const ANNOTATIONS: &str = "data/annotations.parquet";

pub(crate) fn annotate(
    context: &mut Context,
    data: &Dataset,
    findings: &Findings,
) -> Result<Annotations> {
    let identity = context.identity(Stage::Annotate);
    let Context { run, options, watch, models, .. } = context;
    let (options, watch, models) = (*options, *watch, *models);
    let concepts = findings.concepts();
    let rows = data.texts_in(Split::Heldout);
    run.stage(
        Stage::Annotate,
        identity,
        watch,
        |out| {
            let (language, seed) = (options.embed.language, Some(options.seed));
            let found = findings.found.as_ref().filter(|_| options.goes_by_meaning());
            let x = found.map(|found| found.x.whole()).transpose()?;
            let vectors = vectors_for_meaning(options, x.map(|x| (&data.texts, x)))?;
            let vectors = vectors.as_ref();
            let annotator =
                annotator(&options.annotate, language, models, vectors, "annotate", seed)?;
            let texts = data.texts.gather(&rows);
            let annotations = annotate::annotate(&*annotator, &concepts, &texts, watch)?;
            let ids: Vec<String> = (0..concepts.len()).map(evaluate::hypothesis_id).collect();
            let mut table = annotations.table(&data.row_ids(&rows), &ids)?;
            if let Some(sides) = data.sides(&rows) {
                table.columns.insert(1, Column::side(sides.repeat(ids.len())));
            }
            out.long_table(&table)?;
            if let Some(calibration) = calibration_table(&annotations.calibrations) {
                out.table(&calibration)?;
            }
            for (name, prompt) in &annotations.prompts {
                out.bytes(&format!("annotate/{name}.txt"), prompt.as_bytes())?;
            }
            out.lacks(annotations.missing.len());
            Ok(annotations)
        },
        |folder| {
            let values = table::parquet::read_flags(&folder.join(ANNOTATIONS), "value")?;
            let columns = values.chunks(rows.len().max(1)).map(<[_]>::to_vec).collect();
            Annotations::new(rows.len(), columns)
        },
    )
}
