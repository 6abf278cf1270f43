//! `signal`: said before anything else costs time.

use super::Embedded;
use crate::Result;
use crate::data::{Dataset, Split};
use crate::run::Context;
use crate::signal::{self, Signal};
use crate::store::{Stage, read_json};

const SIGNAL: &str = "embed/signal.json";

pub(crate) fn signal(context: &mut Context, data: &Dataset, x: &Embedded) -> Result<Signal> {
    let identity = context.identity(Stage::Signal);
    let Context { run, options, watch, .. } = context;
    let signal = run.stage(
        Stage::Signal,
        identity,
        *watch,
        |out| {
            let rows: Vec<usize> =
                (0..data.split.len()).filter(|&i| data.split[i] != Split::Heldout).collect();
            let y: Vec<f64> = rows.iter().map(|&i| data.y[i]).collect();
            let group: Option<Vec<u32>> =
                data.group.as_ref().map(|g| rows.iter().map(|&i| g[i]).collect());
            let unit = signal::units(rows.iter().map(|&i| data.texts.get(i)), group.as_deref());
            let signal = signal::check(
                &data.vectors(x.whole()?, &rows),
                &y,
                &unit,
                &data.task,
                options.seed,
            )?;
            out.json(SIGNAL, &signal)?;
            out.table(&signal.table())?;
            Ok(signal)
        },
        |folder| read_json(folder, SIGNAL),
    )?;
    watch.say(&signal.to_string());
    Ok(signal)
}
