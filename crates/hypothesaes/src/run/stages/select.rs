//! `select`: the neurons worth wording, judged on the discover texts.

use hypothesaes_math::Matrix;

use super::{Embedded, Neurons};
use crate::Result;
use crate::data::{Dataset, Split};
use crate::run::Context;
use crate::select::{self, Discover, Selection};
use crate::store::{Stage, read_json};

pub(crate) const SELECTION: &str = "sae/selection.json";

pub(crate) fn select(
    context: &mut Context,
    (data, x): (&Dataset, &Embedded),
    neurons: &Neurons,
) -> Result<Selection> {
    let identity = context.identity(Stage::Select);
    let Context { run, options, watch, .. } = context;
    let selection = run.stage(
        Stage::Select,
        identity,
        *watch,
        |out| {
            let rows = data.rows(Split::Discover);
            let part = data.gather(&rows);
            let z = data.activations(neurons.z(x)?, &rows);
            let decoders: Vec<&Matrix> =
                neurons.models.iter().map(|m| &m.sae.parts().decoder).collect();
            let discover = Discover {
                z: &z,
                y: &part.y,
                task: &part.task,
                is_paired: part.is_paired,
                covariates: &part.covariates,
                group: part.group.as_deref(),
                decoders: &decoders,
            };
            let selection = select::select(&discover, options.seed, &options.select)?;
            out.json(SELECTION, &selection)?;
            out.table(&selection.table(&neurons.sae_ids)?)?;
            Ok(selection)
        },
        |folder| read_json(folder, SELECTION),
    )?;
    for message in &selection.messages {
        watch.say(message);
    }
    Ok(selection)
}
