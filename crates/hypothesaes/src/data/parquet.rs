//! Rows of Parquet files, some at a time.

use std::fmt::Display;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::batches::{Rows, names};
use super::row::{Column, Outcome, Sink};
use super::source::{Meter, Source};
use crate::error::Place;
use crate::watch::Watch;
use crate::{Error, Result};

/// Rows held in memory at a time.
const BATCH: usize = 1024;

/// The columns of a Parquet file.
pub(super) fn columns(source: &Source, watch: &dyn Watch) -> Result<Vec<String>> {
    Ok(names(open(source, watch)?.schema()))
}

/// Hands every row of a Parquet file to `sink`.
///
/// The number of rows is compared with the one that the file announces, so that a damaged file
/// cannot pass for a shorter one.
pub(super) fn each_row(
    source: &Source,
    wanted: &[Column],
    meter: &Rc<Meter>,
    watch: &dyn Watch,
    sink: &mut Sink,
) -> Result<Outcome> {
    let builder = open(source, watch)?;
    let expected = builder.metadata().file_metadata().num_rows();
    let mut rows = Rows::new(source, "Parquet", wanted);
    let mask = ProjectionMask::roots(builder.parquet_schema(), rows.indices.iter().copied());
    let builder = builder.with_projection(mask).with_batch_size(BATCH);
    let mut reader = guarded(|| builder.build()).map_err(|e| rows.damaged(&e))?;
    while let Some(batch) = guarded(|| reader.next().transpose()).map_err(|e| rows.damaged(&e))? {
        if rows.hand_on(&batch, sink)? {
            return Ok(rows.outcome());
        }
        let share = rows.count as f64 / expected.max(1) as f64;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "only progress"
        )]
        meter.set_bytes((share.min(1.0) * source.bytes as f64) as u64);
    }
    if i64::try_from(rows.count) != Ok(expected) {
        let message = format!("damaged: {expected} rows are announced and {} found", rows.count);
        return Err(source.damage(Place::default(), message));
    }
    source.hash(meter, watch)?;
    Ok(rows.outcome())
}

fn open(source: &Source, watch: &dyn Watch) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = source.open_seekable(watch)?;
    let damaged = |e: String| {
        source.damage(Place::default(), format!("the Parquet data are damaged or cut off: {e}"))
    };
    let bytes = file.metadata().map_err(Error::file("read", &source.path))?.len();
    let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(damaged)?;
    let mut columns = builder.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
    if columns.all(|column| lies_inside(column, bytes)) {
        Ok(builder)
    } else {
        Err(damaged("a column lies outside the file".to_owned()))
    }
}

/// Whether the pages of a column are inside a file of so many bytes.
fn lies_inside(column: &ColumnChunkMetaData, bytes: u64) -> bool {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let (start, length) = (u64::try_from(start), u64::try_from(column.compressed_size()));
    matches!((start, length), (Ok(start), Ok(length)) if start.saturating_add(length) <= bytes)
}

/// Turns a panic of the decoder into an error.
///
/// The `parquet` crate asserts what damaged pages break, such as that a dictionary stands before
/// its first use, and offers no way to check the pages beforehand: some in ten thousand random
/// damages ended so. What panicked is not used again.
fn guarded<T, E: Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err("the decoder gave up on a page".to_owned()),
    }
}
