//! Rows of Parquet and Arrow files, a batch at a time.
//!
//! What these formats say of themselves is checked, so that a damaged file cannot pass for a
//! shorter one: the number of rows or batches, and the mark at the end.

use std::cell::Cell as Flag;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{StreamReader, read_footer_length};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use super::arrays::Values;
use super::row::{Cell, Column, Outcome, Row, Sink};
use super::source::{Meter, Source};
use crate::error::Place;
use crate::watch::Watch;
use crate::{Error, Result};

/// Rows of Parquet held in memory at a time.
const BATCH: usize = 1024;
const BUFFER: usize = 1 << 17;
const ARROW_FILE: &[u8; 8] = b"ARROW1\0\0";

/// The columns of a Parquet file.
pub(super) fn parquet_columns(source: &Source, watch: &dyn Watch) -> Result<Vec<String>> {
    Ok(names(open_parquet(source, watch)?.schema()))
}

/// Hands every row of a Parquet file to `sink`.
pub(super) fn each_parquet_row(
    source: &Source,
    wanted: &[Column],
    meter: &Rc<Meter>,
    watch: &dyn Watch,
    sink: &mut Sink,
) -> Result<Outcome> {
    let builder = open_parquet(source, watch)?;
    let expected = builder.metadata().file_metadata().num_rows();
    let indices = rising(wanted);
    let mask = ProjectionMask::roots(builder.parquet_schema(), indices.iter().copied());
    let reader = builder.with_projection(mask).with_batch_size(BATCH).build();
    let reader = reader.map_err(|e| damaged_parquet(source, None, &e))?;
    let mut rows = Rows::new(source, "Parquet", |index| position(&indices, index));
    for batch in reader {
        if rows.hand_on(batch, wanted, sink)? {
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

/// The columns of an Arrow file or stream.
pub(super) fn arrow_columns(source: &Source, meter: &Rc<Meter>) -> Result<Vec<String>> {
    Ok(names(&ArrowStream::open(source, meter, None)?.reader.schema()))
}

/// Hands every row of an Arrow file or stream to `sink`.
///
/// A file is read as the stream that it contains, and then compared with its footer.
pub(super) fn each_arrow_row(
    source: &Source,
    wanted: &[Column],
    meter: &Rc<Meter>,
    sink: &mut Sink,
) -> Result<Outcome> {
    let indices = rising(wanted);
    let mut stream = ArrowStream::open(source, meter, Some(indices.clone()))?;
    let mut rows = Rows::new(source, "Arrow", |index| position(&indices, index));
    let mut batches = 0;
    for batch in &mut stream.reader {
        if rows.hand_on(batch, wanted, sink)? {
            return Ok(rows.outcome());
        }
        batches += 1;
    }
    stream.check_end(source, batches)?;
    Ok(rows.outcome())
}

fn names(schema: &SchemaRef) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn open_parquet(
    source: &Source,
    watch: &dyn Watch,
) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = source.open_seekable(watch)?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged_parquet(source, None, &e))
}

fn damaged_parquet(source: &Source, row: Option<u64>, error: &ParquetError) -> Error {
    let message = format!("the Parquet data are damaged or cut off: {error}");
    source.damage(Place { row, ..Place::default() }, message)
}

/// Indices of the columns to read, in the order of the file.
fn rising(wanted: &[Column]) -> Vec<usize> {
    let mut indices: Vec<usize> = wanted.iter().map(|column| column.index).collect();
    indices.sort_unstable();
    indices
}

/// Place among the columns read.
fn position(indices: &[usize], index: usize) -> usize {
    indices.binary_search(&index).expect("every wanted column is read")
}

/// Takes batches apart.
struct Rows<'a, F> {
    source: &'a Source,
    format: &'static str,
    /// Place in the batch of a column of the file.
    position: F,
    count: u64,
}

impl<'a, F: Fn(usize) -> usize> Rows<'a, F> {
    fn new(source: &'a Source, format: &'static str, position: F) -> Self {
        Self { source, format, position, count: 0 }
    }

    fn outcome(&self) -> Outcome {
        Outcome { rows: self.count, blank_lines: 0 }
    }

    /// Hands the rows of a batch to `sink`; whether it has enough.
    fn hand_on(
        &mut self,
        batch: Result<RecordBatch, ArrowError>,
        wanted: &[Column],
        sink: &mut Sink,
    ) -> Result<bool> {
        let first = self.count + 1;
        let batch = batch.map_err(|e| self.damaged(first, &e))?;
        let mut columns = Vec::with_capacity(wanted.len());
        for column in wanted {
            let array = batch.column((self.position)(column.index));
            columns.push(Values::of(array).map_err(|e| self.damaged(first, &e))?);
        }
        let mut cells: Vec<Cell> = Vec::with_capacity(wanted.len());
        for i in 0..batch.num_rows() {
            self.count += 1;
            cells.clear();
            for (values, column) in columns.iter().zip(wanted) {
                let cell = values.get(i).ok_or_else(|| {
                    let column = Some(column.name.clone());
                    let place = Place { row: Some(self.count), column, ..Place::default() };
                    self.source.damage(place, "the bytes are not UTF-8")
                })?;
                cells.push(cell);
            }
            if sink(&Row { number: self.count, line: None, cells: &cells })?.is_break() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn damaged(&self, first: u64, error: &ArrowError) -> Error {
        let message =
            format!("the {} data are damaged or cut off here or soon after: {error}", self.format);
        self.source.damage(Place { row: Some(first), ..Place::default() }, message)
    }
}

/// An open Arrow stream, alone or inside a file.
struct ArrowStream {
    reader: StreamReader<Ending>,
    is_file: bool,
    ran_out: Rc<Flag<bool>>,
}

/// Notes when there is nothing more to read.
struct Ending {
    bytes: BufReader<Box<dyn Read>>,
    ran_out: Rc<Flag<bool>>,
}

impl Read for Ending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.ran_out.set(n == 0 && !buffer.is_empty());
        Ok(n)
    }
}

impl ArrowStream {
    fn open(source: &Source, meter: &Rc<Meter>, indices: Option<Vec<usize>>) -> Result<Self> {
        let mut bytes = source.open(meter)?;
        let mut head = Vec::new();
        let read = bytes.by_ref().take(ARROW_FILE.len() as u64).read_to_end(&mut head);
        read.map_err(|e| source.fault(Place::default(), e))?;
        let is_file = head == ARROW_FILE;
        if !is_file {
            bytes = Box::new(io::Cursor::new(head).chain(bytes));
        }
        let ran_out = Rc::new(Flag::new(false));
        let bytes = BufReader::with_capacity(BUFFER, bytes);
        let bytes = Ending { bytes, ran_out: Rc::clone(&ran_out) };
        let reader = StreamReader::try_new(bytes, indices).map_err(|e| {
            source.damage(Place::default(), format!("the Arrow data are damaged or cut off: {e}"))
        })?;
        Ok(Self { reader, is_file, ran_out })
    }

    /// A stream may end without a mark, but a file that does is cut off between two batches.
    fn check_end(self, source: &Source, batches: usize) -> Result<()> {
        let damage = |message| source.damage(Place::default(), message);
        if self.ran_out.get() {
            return Err(damage("cut off: the Arrow data end without their end mark".to_owned()));
        }
        let mut rest = Vec::new();
        let mut reader = self.reader;
        reader.get_mut().read_to_end(&mut rest).map_err(|e| source.fault(Place::default(), e))?;
        if !self.is_file {
            return match rest.len() {
                0 => Ok(()),
                n => Err(damage(format!("damaged: {n} bytes follow the end of the Arrow stream"))),
            };
        }
        match batches_in_footer(&rest) {
            Some(announced) if announced == batches => Ok(()),
            Some(n) => Err(damage(format!("damaged: {n} batches are announced, {batches} found"))),
            None => {
                Err(damage("cut off or damaged: the Arrow file has no valid footer".to_owned()))
            }
        }
    }
}

/// Batches that the footer of an Arrow file lists; `rest` is what follows the stream.
fn batches_in_footer(rest: &[u8]) -> Option<usize> {
    let (body, tail) = rest.split_last_chunk::<10>()?;
    let start = body.len().checked_sub(read_footer_length(*tail).ok()?)?;
    let footer = arrow_ipc::root_as_footer(&body[start..]).ok()?;
    Some(footer.recordBatches()?.len())
}
