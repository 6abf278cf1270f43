//! `interpret`: the chosen neurons in words, found on discover and judged on validation texts.

use super::Neurons;
use crate::Result;
use crate::annotate::annotator;
use crate::data::{Dataset, Split};
use crate::interpret::{self, Labelled, Material, interpreter};
use crate::run::Context;
use crate::select::Selection;
use crate::store::{Stage, read_json};

pub(crate) const LABELS: &str = "interpret/labels.json";

pub(crate) fn interpret(
    context: &mut Context,
    data: &Dataset,
    neurons: &Neurons,
    selection: &Selection,
) -> Result<Vec<Labelled>> {
    let identity = context.identity(Stage::Interpret);
    let Context { run, options, watch, .. } = context;
    let (options, watch) = (*options, *watch);
    run.stage(
        Stage::Interpret,
        identity,
        watch,
        |out| {
            let chosen: Vec<usize> = selection.chosen.iter().map(|c| c.neuron).collect();
            let (discover, validation) = (data.rows(Split::Discover), data.rows(Split::Validation));
            let material = Material {
                z: &neurons.z,
                chosen: &chosen,
                texts: &data.texts,
                discover: &discover,
                validation: &validation,
            };
            let language = options.embed.language;
            let words = interpreter(&options.interpret, language, &data.texts, &discover);
            let judge = annotator(&options.annotate, language);
            let labelled = interpret::interpret(
                material,
                &options.interpret,
                options.seed,
                (&*words, &*judge),
                watch,
            )?;
            out.json(LABELS, &labelled)?;
            out.table(&interpret::table(&labelled))?;
            Ok(labelled)
        },
        |folder| read_json(folder, LABELS),
    )
}
