//! A [`Dataset`] as a Parquet file in the run directory, and back.
//!
//! Columns `row_id`, `split`, `group`, `target`, `text`, of pairs `text_b`, of pieces of texts `document`,
//! and one for each covariate; what the target and the covariates are stands in the metadata of the file. Equal data
//! sets make equal bytes.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Float64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, Float64Array, LargeStringArray, PrimitiveArray, RecordBatch, StringArray,
    UInt32Array, UInt64Array,
};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Control, Covariates, Dataset, Factor, Split, Task, Texts};
use crate::{Error, Result};

const TASK: &str = "hypothesaes.task";
const TARGET: &str = "hypothesaes.target";
const COVARIATES: &str = "hypothesaes.covariates";
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

/// What the columns of covariates are; factors with their levels.
#[derive(Default, Serialize, Deserialize)]
struct Beside {
    weight: bool,
    exposure: bool,
    controls: Vec<Held>,
    fixed_effects: Vec<Held>,
    strata: Option<Held>,
}

/// A covariate; one without levels is numeric.
#[derive(Serialize, Deserialize)]
struct Held {
    name: String,
    levels: Option<Vec<String>>,
}

impl Held {
    fn factor(factor: &Factor) -> Self {
        Self { name: factor.name.clone(), levels: Some(factor.levels.clone()) }
    }

    fn control(control: &Control) -> Self {
        match control {
            Control::Numeric { name, .. } => Self { name: name.clone(), levels: None },
            Control::Categorical(factor) => Self::factor(factor),
        }
    }
}

impl Beside {
    fn of(covariates: &Covariates) -> Self {
        Self {
            weight: covariates.weight.is_some(),
            exposure: covariates.exposure.is_some(),
            controls: covariates.controls.iter().map(Held::control).collect(),
            fixed_effects: covariates.fixed_effects.iter().map(Held::factor).collect(),
            strata: covariates.strata.as_ref().map(Held::factor),
        }
    }

    /// The covariates without any row yet.
    fn empty(self) -> Covariates {
        let factor = |held: Held| Factor {
            name: held.name,
            levels: held.levels.unwrap_or_default(),
            of_row: Vec::new(),
        };
        let control = |held: Held| match held.levels {
            None => Control::Numeric { name: held.name, values: Vec::new() },
            Some(_) => Control::Categorical(factor(held)),
        };
        Covariates {
            weight: self.weight.then(Vec::new),
            exposure: self.exposure.then(Vec::new),
            controls: self.controls.into_iter().map(control).collect(),
            fixed_effects: self.fixed_effects.into_iter().map(factor).collect(),
            strata: self.strata.map(factor),
        }
    }
}

/// The columns of some rows, with their names and whether they may hold nulls.
fn columns(data: &Dataset, rows: Range<usize>) -> Vec<(String, ArrayRef, bool)> {
    let numbers = |values: &[f64]| -> ArrayRef {
        Arc::new(Float64Array::from(values[rows.clone()].to_vec()))
    };
    let levels = |factor: &Factor| -> ArrayRef {
        let level = |i| factor.levels[factor.of_row[i] as usize].as_str();
        Arc::new(StringArray::from_iter_values(rows.clone().map(level)))
    };
    let texts = |from: usize| -> ArrayRef {
        Arc::new(LargeStringArray::from_iter_values(rows.clone().map(|i| data.texts.get(from + i))))
    };
    let split = rows.clone().map(|i| data.split[i].word());
    let group = rows.clone().map(|i| data.group.as_ref().map(|group| group[i]));
    let row_id = UInt64Array::from(data.row_id[rows.clone()].to_vec());
    let mut all: Vec<(String, ArrayRef, bool)> = vec![
        ("row_id".into(), Arc::new(row_id), false),
        ("split".into(), Arc::new(StringArray::from_iter_values(split)), false),
        ("group".into(), Arc::new(group.collect::<UInt32Array>()), true),
        ("target".into(), numbers(&data.y), false),
        ("text".into(), texts(0), false),
    ];
    if data.is_paired {
        all.push(("text_b".into(), texts(data.n_rows()), false));
    }
    if let Some(document) = &data.document {
        let document = UInt64Array::from(document[rows.clone()].to_vec());
        all.push(("document".into(), Arc::new(document), false));
    }
    let Covariates { weight, exposure, controls, fixed_effects, strata } = &data.covariates;
    all.extend(weight.iter().map(|values| ("weight".into(), numbers(values), false)));
    all.extend(exposure.iter().map(|values| ("exposure".into(), numbers(values), false)));
    for control in controls {
        let values = match control {
            Control::Numeric { values, .. } => numbers(values),
            Control::Categorical(factor) => levels(factor),
        };
        all.push((format!("control:{}", control.name()), values, false));
    }
    let factors = fixed_effects.iter().map(|f| ("fixed_effect", f));
    for (role, factor) in factors.chain(strata.iter().map(|f| ("strata", f))) {
        all.push((format!("{role}:{}", factor.name), levels(factor), false));
    }
    all
}

fn write(data: &Dataset, to: impl Write + Send) -> Result<(), ParquetError> {
    let fields = columns(data, 0..0).into_iter();
    let fields =
        fields.map(|(name, values, nulls)| Field::new(name, values.data_type().clone(), nulls));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let json = |value: serde_json::Result<String>| value.map_err(io::Error::from);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("hypothesaes".to_owned())
        .set_column_dictionary_enabled("text".into(), false)
        .set_column_dictionary_enabled("text_b".into(), false)
        .set_key_value_metadata(Some(vec![
            KeyValue::new(TASK.to_owned(), json(serde_json::to_string(&data.task))?),
            KeyValue::new(TARGET.to_owned(), data.target.clone()),
            KeyValue::new(
                COVARIATES.to_owned(),
                json(serde_json::to_string(&Beside::of(&data.covariates)))?,
            ),
        ]))
        .build();
    let mut writer = ArrowWriter::try_new(to, Arc::clone(&schema), Some(properties))?;
    for start in (0..data.n_rows()).step_by(BATCH) {
        let values = columns(data, start..data.n_rows().min(start + BATCH)).into_iter();
        let values = values.map(|(_, values, _)| values).collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), values)?)?;
    }
    writer.close().map(drop)
}

fn read(file: File) -> Result<Dataset, String> {
    let said = |e: &dyn std::fmt::Display| e.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| said(&e))?;
    let is_paired = builder.schema().column_with_name("text_b").is_some();
    let metadata = builder.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| {
        let found = metadata.and_then(|pairs| pairs.iter().find(|pair| pair.key == key));
        found.and_then(|pair| pair.value.clone()).ok_or_else(|| format!("no metadata `{key}`"))
    };
    let beside: Beside = serde_json::from_str(&value(COVARIATES)?).map_err(|e| said(&e))?;
    let mut data = Dataset {
        texts: Texts::default(),
        is_paired,
        y: Vec::new(),
        task: serde_json::from_str::<Task>(&value(TASK)?).map_err(|e| said(&e))?,
        target: value(TARGET)?,
        split: Vec::new(),
        covariates: beside.empty(),
        group: Some(Vec::new()),
        row_id: Vec::new(),
        document: builder.schema().column_with_name("document").map(|_| Vec::new()),
    };
    let mut others = Texts::default();
    for batch in builder.with_batch_size(BATCH).build().map_err(|e| said(&e))? {
        append(&mut data, &mut others, &batch.map_err(|e| said(&e))?)?;
    }
    others.iter().for_each(|text| data.texts.push(text));
    Ok(data)
}

fn append(data: &mut Dataset, others: &mut Texts, batch: &RecordBatch) -> Result<(), String> {
    data.row_id.extend_from_slice(numbers::<UInt64Type>(batch, "row_id")?.values());
    if let Some(document) = &mut data.document {
        document.extend_from_slice(numbers::<UInt64Type>(batch, "document")?.values());
    }
    data.y.extend_from_slice(numbers::<Float64Type>(batch, "target")?.values());
    for word in column::<StringArray>(batch, "split")? {
        let split = Split::ALL.into_iter().find(|part| Some(part.word()) == word);
        data.split.push(split.ok_or_else(|| format!("a split `{}`", word.unwrap_or_default()))?);
    }
    let sides = [("text", &mut data.texts), ("text_b", others)];
    for (name, texts) in sides.into_iter().take(1 + usize::from(data.is_paired)) {
        for text in column::<LargeStringArray>(batch, name)? {
            texts.push(text.ok_or("a text is missing")?);
        }
    }
    let group = numbers::<UInt32Type>(batch, "group")?;
    match &mut data.group {
        Some(all) if group.null_count() == 0 => all.extend_from_slice(group.values()),
        _ => data.group = None,
    }
    append_covariates(&mut data.covariates, batch)
}

fn append_covariates(covariates: &mut Covariates, batch: &RecordBatch) -> Result<(), String> {
    let Covariates { weight, exposure, controls, fixed_effects, strata } = covariates;
    for (name, values) in [("weight", weight), ("exposure", exposure)] {
        if let Some(values) = values {
            values.extend_from_slice(numbers::<Float64Type>(batch, name)?.values());
        }
    }
    for control in controls {
        match control {
            Control::Numeric { name, values } => {
                let name = format!("control:{name}");
                values.extend_from_slice(numbers::<Float64Type>(batch, &name)?.values());
            }
            Control::Categorical(factor) => append_levels("control", factor, batch)?,
        }
    }
    fixed_effects.iter_mut().try_for_each(|f| append_levels("fixed_effect", f, batch))?;
    strata.iter_mut().try_for_each(|f| append_levels("strata", f, batch))
}

fn append_levels(role: &str, factor: &mut Factor, batch: &RecordBatch) -> Result<(), String> {
    let numbered = factor.levels.iter().zip(0..);
    let number: FxHashMap<&str, u32> = numbered.map(|(level, i)| (level.as_str(), i)).collect();
    for level in column::<StringArray>(batch, &format!("{role}:{}", factor.name))? {
        let level = level.ok_or("a level is missing")?;
        let number = number.get(level).ok_or_else(|| format!("no level `{level}`"))?;
        factor.of_row.push(*number);
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
