//! Batches of columns, as Parquet and Arrow files hold them, taken apart into rows.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::arrays::Values;
use super::row::{Cell, Column, Outcome, Row, Sink};
use super::source::Source;
use crate::error::Place;
use crate::{Error, Result};

/// Takes batches apart and counts their rows.
pub(super) struct Rows<'a> {
    source: &'a Source,
    /// Name of the format, for messages.
    format: &'static str,
    wanted: &'a [Column],
    /// Indices of the wanted columns, in the order of the file.
    pub indices: Vec<usize>,
    pub count: u64,
}

/// Names of the columns.
pub(super) fn names(schema: &SchemaRef) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

impl<'a> Rows<'a> {
    pub fn new(source: &'a Source, format: &'static str, wanted: &'a [Column]) -> Self {
        let mut indices: Vec<usize> = wanted.iter().map(|column| column.index).collect();
        indices.sort_unstable();
        Self { source, format, wanted, indices, count: 0 }
    }

    pub fn outcome(&self) -> Outcome {
        Outcome { rows: self.count, blank_lines: 0 }
    }

    /// Hands the rows of a batch, which holds the columns of [`Self::indices`], to `sink`; returns
    /// whether that has enough.
    pub fn hand_on(&mut self, batch: &RecordBatch, sink: &mut Sink) -> Result<bool> {
        let mut columns = Vec::with_capacity(self.wanted.len());
        for column in self.wanted {
            let position = self.indices.binary_search(&column.index);
            let array = batch.column(position.expect("every wanted column is read"));
            columns.push(Values::of(array).map_err(|e| self.damaged(&e))?);
        }
        for i in 0..batch.num_rows() {
            self.count += 1;
            let cells = columns.iter().zip(self.wanted).map(|(values, column)| {
                values.get(i).ok_or_else(|| {
                    let column = Some(column.name.clone());
                    let place = Place { row: Some(self.count), column, ..Place::default() };
                    self.source.damage(place, "the bytes are not UTF-8")
                })
            });
            let cells: Vec<Cell> = cells.collect::<Result<_>>()?;
            if sink(&Row { number: self.count, line: None, cells: &cells })?.is_break() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Damage in the rows that would follow.
    pub fn damaged(&self, error: &dyn std::fmt::Display) -> Error {
        let place = Place { row: Some(self.count + 1), ..Place::default() };
        let format = self.format;
        let message =
            format!("the {format} data are damaged or cut off here or soon after: {error}");
        self.source.damage(place, message)
    }
}
