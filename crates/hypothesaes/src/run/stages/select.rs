//! `select`: the neurons worth wording, judged on the discover texts.

use super::Neurons;
use crate::Result;
use crate::data::{Dataset, Split};
use crate::run::Context;
use crate::select::{self, Selection};
use crate::store::{Stage, read_json};

pub(crate) const SELECTION: &str = "sae/selection.json";

pub(crate) fn select(
    context: &mut Context,
    data: &Dataset,
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
            let y: Vec<f64> = rows.iter().map(|&i| data.y[i]).collect();
            let z = data.activations(&neurons.z, &rows);
            let selection = select::select(&z, &y, &data.task, &options.select)?;
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
