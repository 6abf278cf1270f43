//! Tables as flat Parquet (Zstandard, no nesting), which R's and Python's smallest readers take.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{Table, Values};
use crate::{Error, Result};

/// Writes `table`; the bytes depend on its content alone.
pub fn write(table: &Table, to: impl Write + Send) -> Result<(), ParquetError> {
    let batch = record_batch(table)?;
    let mut writer = ArrowWriter::try_new(to, batch.schema(), Some(properties()))?;
    writer.write(&batch)?;
    writer.close().map(drop)
}

/// Reads one column of yes and no.
pub fn read_flags(path: &Path, column: &str) -> Result<Vec<Option<bool>>> {
    let file = File::open(path).map_err(Error::file("read", path))?;
    flags(file, column).map_err(|e| Error::file("read", path)(io::Error::other(e)))
}

fn flags(file: File, column: &str) -> Result<Vec<Option<bool>>, ParquetError> {
    let mut values = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
        let batch = batch?;
        let array = batch.column_by_name(column).and_then(|c| c.as_boolean_opt());
        let array = array.ok_or_else(|| {
            ParquetError::General(format!("there is no column `{column}` of yes and no"))
        })?;
        values.extend(array);
    }
    Ok(values)
}

/// The columns of a file, or of a part of it: names and values.
pub type Named = Vec<(String, Values)>;

/// Reads all columns; numbers of any width become the widest, whatever else there is its text.
pub fn read(path: &Path) -> Result<Named> {
    let mut parts = batches(path)?;
    let mut whole =
        parts.next().transpose().map_err(Error::file("read", path))?.unwrap_or_default();
    for part in parts {
        let part = part.map_err(Error::file("read", path))?;
        for ((_, values), (_, more)) in whole.iter_mut().zip(part) {
            values.append(more);
        }
    }
    Ok(whole)
}

/// Reads the same part by part, the first of which is there even if there are no rows.
pub fn batches(path: &Path) -> Result<impl Iterator<Item = io::Result<Named>>> {
    let file = File::open(path).map_err(Error::file("read", path))?;
    let damaged = |e: ParquetError| Error::file("read", path)(io::Error::other(e));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
    let empty = RecordBatch::new_empty(reader.schema().clone());
    let reader = reader.build().map_err(damaged)?;
    Ok(std::iter::once(Ok(empty)).chain(reader).map(|batch| {
        let batch = batch.map_err(io::Error::other)?;
        let names = batch.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
        let values = batch.columns().iter().map(values);
        names.into_iter().zip(values).map(|(name, values)| Ok((name, values?))).collect()
    }))
}

fn values(array: &ArrayRef) -> io::Result<Values> {
    let kind = array.data_type();
    let wider = match kind {
        DataType::Boolean => DataType::Boolean,
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_floating() => DataType::Float64,
        _ => DataType::Utf8,
    };
    let array = arrow_cast::cast(array, &wider).map_err(io::Error::other)?;
    Ok(match wider {
        DataType::Boolean => Values::Flag(array.as_boolean().iter().collect()),
        DataType::Int64 => Values::Integer(array.as_primitive::<Int64Type>().iter().collect()),
        DataType::Float64 => Values::Number(array.as_primitive::<Float64Type>().iter().collect()),
        _ => {
            let texts = array.as_string::<i32>().iter();
            Values::Text(texts.map(|text| text.map(str::to_owned)).collect())
        }
    })
}

/// What every Parquet file of a run is written with.
pub fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("hypothesaes".into())
        .build()
}

fn record_batch(table: &Table) -> Result<RecordBatch, ParquetError> {
    let columns = table.columns.iter().map(|c| (c.name, array(&c.values), true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn array(values: &Values) -> ArrayRef {
    match values {
        Values::Text(v) => Arc::new(StringArray::from_iter(v)),
        Values::Number(v) => Arc::new(Float64Array::from_iter(v)),
        Values::Integer(v) => Arc::new(Int64Array::from_iter(v)),
        Values::Flag(v) => Arc::new(BooleanArray::from_iter(v)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Column;
    use bytes::Bytes;

    #[test]
    fn reads_back_what_was_written() {
        let column = |name, values| Column { name, unit: "", description: "", values };
        let table = Table {
            name: "t",
            columns: vec![
                column("a", Values::Text(vec![Some("é".into()), None])),
                column("b", Values::Number(vec![None, Some(0.1)])),
                column("c", Values::Flag(vec![Some(true), None])),
            ],
        };
        let mut out = Vec::new();
        write(&table, &mut out).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(out)).unwrap();
        let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
        assert_eq!(batches, vec![record_batch(&table).unwrap()]);
    }
}
