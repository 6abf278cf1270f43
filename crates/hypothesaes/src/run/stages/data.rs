//! `data`: the input, read, understood and split; afterwards the run needs the input no more.

use std::path::Path;

use crate::data::{self, Dataset, dropped_table, read_rows, write_rows};
use crate::run::{Context, DataSummary};
use crate::store::{Stage, read_json};
use crate::{Error, Result};

pub(crate) const ROWS: &str = "data/rows.parquet";
const SUMMARY: &str = "data/summary.json";

pub(crate) struct Data {
    pub dataset: Dataset,
    pub summary: DataSummary,
}

pub(crate) fn data(context: &mut Context) -> Result<Data> {
    let identity = context.identity(Stage::Data);
    let Context { run, options, watch, input, .. } = context;
    let (options, watch) = (*options, *watch);
    let data = run.stage(
        Stage::Data,
        identity,
        watch,
        |out| {
            let loaded = data::read(&options.data, &options.split, options.seed, watch)?;
            if loaded.content_hash != *input {
                let message = "the file changed while it was read: run again";
                return Err(Error::input(&options.data.path, message));
            }
            let summary = DataSummary {
                target: loaded.dataset.target.clone(),
                task: loaded.dataset.task.clone(),
                counts: loaded.counts,
                notes: loaded.notes,
                content_hash: loaded.content_hash,
            };
            out.file(ROWS, |to| write_rows(&loaded.dataset, to))?;
            out.table(&dropped_table(&loaded.dropped))?;
            out.json(SUMMARY, &summary)?;
            Ok(Data { dataset: loaded.dataset, summary })
        },
        |folder| {
            Ok(Data { dataset: read_rows(&folder.join(ROWS))?, summary: read_summary(folder)? })
        },
    )?;
    for note in &data.summary.notes {
        watch.say(note);
    }
    Ok(data)
}

/// What the stage had to say.
pub(crate) fn read_summary(folder: &Path) -> Result<DataSummary> {
    read_json(folder, SUMMARY)
}
