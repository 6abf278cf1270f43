//! `interpret`: the chosen neurons in words, found on discover and judged on validation texts.

use super::{Embedded, Neurons, vectors_for_meaning};
use crate::Result;
use crate::annotate::annotator;
use crate::data::{Dataset, Split};
use crate::interpret::{self, Labelled, Material, interpreter};
use crate::run::{Context, work};
use crate::select::Selection;
use crate::store::{Stage, read_json};

pub(crate) const LABELS: &str = "interpret/labels.json";

pub(crate) fn interpret(
    context: &mut Context,
    (data, x): (&Dataset, &Embedded),
    neurons: &Neurons,
    selection: &Selection,
) -> Result<Vec<Labelled>> {
    let identity = context.identity(Stage::Interpret);
    let Context { run, options, watch, models, .. } = context;
    let (options, watch, models) = (*options, *watch, *models);
    run.stage(
        Stage::Interpret,
        identity,
        watch,
        |out| {
            let chosen: Vec<usize> = selection.chosen.iter().map(|c| c.neuron).collect();
            let [discover, validation] =
                [Split::Discover, Split::Validation].map(|part| data.texts_in(part));
            let z = neurons.z(x)?;
            let x = x.whole()?;
            let material = Material {
                z,
                chosen: &chosen,
                texts: &data.texts,
                vectors: Some(x),
                discover: &discover,
                validation: &validation,
            };
            let (language, seed) = (options.embed.language, options.seed);
            let mut how = options.interpret.clone();
            let n_heldout = data.texts_in(Split::Heldout).len();
            let rounds = work::rounds(options, validation.len(), n_heldout, chosen.len());
            how.refine = Some(rounds);
            let texts = (&data.texts, &discover[..]);
            let vectors = vectors_for_meaning(options, Some((&data.texts, x)))?;
            let vectors = vectors.as_ref();
            let words = interpreter(&how, language, texts, models, vectors, seed)?;
            let judge = annotator(&options.annotate, language, models, vectors, "fidelity", None)?;
            let judges = (&*words, &*judge);
            let labelled = interpret::interpret(material, &how, seed, judges, watch)?;
            out.json(LABELS, &labelled)?;
            out.table(&interpret::table(&labelled))?;
            if let Some(wordings) = interpret::wordings_table(&labelled) {
                out.table(&wordings)?;
            }
            for (name, prompt) in words.prompts() {
                out.bytes(&format!("interpret/{name}.txt"), prompt.as_bytes())?;
            }
            out.lacks(lacking(&labelled));
            Ok(labelled)
        },
        |folder| read_json(folder, LABELS),
    )
}

/// Answers that could not be had: wordings, and annotations that fidelity would rest on.
fn lacking(labelled: &[Labelled]) -> usize {
    let unjudged = labelled.iter().filter_map(|l| l.fidelity).map(|f| f.n_missing);
    labelled.iter().filter(|l| l.is_unanswered).count() + unjudged.sum::<usize>()
}
