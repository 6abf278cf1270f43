//! Tables as flat Parquet (Zstandard, no nesting), which R's and Python's smallest readers take.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
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
