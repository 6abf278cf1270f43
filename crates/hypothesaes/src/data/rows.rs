//! A [`Dataset`] as a Parquet file in the run directory, and back.
//!
//! Columns `row_id`, `split`, `group`, `target`, `text`; what the target is stands in the metadata
//! of the file. Equal data sets make equal bytes.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Float64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, Float64Array, LargeStringArray, PrimitiveArray, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{Dataset, Split, Task, Texts};
use crate::{Error, Result};

const TASK: &str = "hypothesaes.task";
const TARGET: &str = "hypothesaes.target";
const BATCH: usize = 4096;

/// Writes the data set as Parquet.
pub fn write_rows(data: &Dataset, to: impl Write + Send) -> io::Result<()> {
    write(data, to).map_err(io::Error::other)
}

/// Reads what [`write_rows`] wrote.
///
/// # Errors
/// [`Error::File`] if there is no such file, [`Error::Input`] if it holds something else.
pub fn read_rows(path: &Path) -> Result<Dataset> {
    let file = File::open(path).map_err(Error::file("read", path))?;
    read(file).map_err(|message| Error::input(path, format!("not the rows of a run: {message}")))
}

fn write(data: &Dataset, to: impl Write + Send) -> Result<(), ParquetError> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("row_id", DataType::UInt64, false),
        Field::new("split", DataType::Utf8, false),
        Field::new("group", DataType::UInt32, true),
        Field::new("target", DataType::Float64, false),
        Field::new("text", DataType::LargeUtf8, false),
    ]));
    let task = serde_json::to_string(&data.task).map_err(io::Error::from)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("hypothesaes".to_owned())
        .set_column_dictionary_enabled("text".into(), false)
        .set_key_value_metadata(Some(vec![
            KeyValue::new(TASK.to_owned(), task),
            KeyValue::new(TARGET.to_owned(), data.target.clone()),
        ]))
        .build();
    let mut writer = ArrowWriter::try_new(to, Arc::clone(&schema), Some(properties))?;
    for start in (0..data.y.len()).step_by(BATCH) {
        let rows = start..data.y.len().min(start + BATCH);
        let group = |i| data.group.as_ref().map(|group| group[i]);
        writer.write(&RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(UInt64Array::from(data.row_id[rows.clone()].to_vec())),
                Arc::new(StringArray::from_iter_values(
                    data.split[rows.clone()].iter().map(|split| split.word()),
                )),
                Arc::new(rows.clone().map(group).collect::<UInt32Array>()),
                Arc::new(Float64Array::from(data.y[rows.clone()].to_vec())),
                Arc::new(LargeStringArray::from_iter_values(rows.map(|i| data.texts.get(i)))),
            ],
        )?)?;
    }
    writer.close().map(drop)
}

fn read(file: File) -> Result<Dataset, String> {
    let said = |e: &dyn std::fmt::Display| e.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| said(&e))?;
    let metadata = builder.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| {
        let found = metadata.and_then(|pairs| pairs.iter().find(|pair| pair.key == key));
        found.and_then(|pair| pair.value.clone()).ok_or_else(|| format!("no metadata `{key}`"))
    };
    let mut data = Dataset {
        texts: Texts::default(),
        y: Vec::new(),
        task: serde_json::from_str::<Task>(&value(TASK)?).map_err(|e| said(&e))?,
        target: value(TARGET)?,
        split: Vec::new(),
        group: Some(Vec::new()),
        row_id: Vec::new(),
    };
    for batch in builder.with_batch_size(BATCH).build().map_err(|e| said(&e))? {
        append(&mut data, &batch.map_err(|e| said(&e))?)?;
    }
    Ok(data)
}

fn append(data: &mut Dataset, batch: &RecordBatch) -> Result<(), String> {
    data.row_id.extend_from_slice(numbers::<UInt64Type>(batch, "row_id")?.values());
    data.y.extend_from_slice(numbers::<Float64Type>(batch, "target")?.values());
    for word in column::<StringArray>(batch, "split")? {
        let split = Split::ALL.into_iter().find(|part| Some(part.word()) == word);
        data.split.push(split.ok_or_else(|| format!("a split `{}`", word.unwrap_or_default()))?);
    }
    for text in column::<LargeStringArray>(batch, "text")? {
        data.texts.push(text.ok_or("a text is missing")?);
    }
    let group = numbers::<UInt32Type>(batch, "group")?;
    match &mut data.group {
        Some(all) if group.null_count() == 0 => all.extend_from_slice(group.values()),
        _ => data.group = None,
    }
    Ok(())
}

fn numbers<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a PrimitiveArray<T>, String> {
    column(batch, name)
}

fn column<'a, A: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a A, String> {
    let array = batch.column_by_name(name).ok_or_else(|| format!("no column `{name}`"))?;
    array.as_any().downcast_ref().ok_or_else(|| format!("column `{name}` is of another type"))
}
