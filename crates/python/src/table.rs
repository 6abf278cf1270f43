//! Tables between Python and files: Arrow in memory, Parquet on disk.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader, cast::AsArray,
};
use arrow_cast::cast;
use arrow_pyarrow::FromPyArrow;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use hypothesaes::table::parquet::properties;
use hypothesaes::{Error, Result, store};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyCapsule, PyInt, PyList, PyString};

use crate::fault;
use crate::work::work;

/// Columns of equal length.
#[pyclass(frozen, module = "hypothesaes._native")]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

#[pymethods]
impl Table {
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        work(py, None, move |_| {
            let file = File::open(&path).map_err(Error::file("read", &path))?;
            let read = || -> std::result::Result<Self, parquet::errors::ParquetError> {
                let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.build()?;
                let schema = reader.schema();
                let batches = reader.collect::<std::result::Result<_, ArrowError>>()?;
                Ok(Self { schema, batches })
            };
            read().map_err(|e| Error::input(&path, format!("no Parquet file, or damaged: {e}")))
        })
    }

    #[staticmethod]
    fn from_stream(obj: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = obj.py();
        let reader = RecordBatchStreamReader::from_pyarrow_bound(obj)?;
        let schema = reader.schema();
        let batches = reader.collect::<std::result::Result<_, ArrowError>>();
        let batches = batches.map_err(|e| fault::library(py, Error::Data(e.to_string())))?;
        Ok(Self { schema, batches })
    }

    #[staticmethod]
    fn from_columns(
        py: Python<'_>,
        names: Vec<String>,
        columns: Vec<Vec<Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        let n = columns.first().map_or(0, Vec::len);
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (name, column) in names.iter().zip(&columns) {
            if column.len() != n {
                let allowed = format!("it has {} values, and the first column {n}", column.len());
                return Err(fault::argument(py, "column", name, allowed));
            }
            let array = array(py, name, column)?;
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays);
        let batch = batch.map_err(|e| fault::library(py, Error::Data(e.to_string())))?;
        Ok(Self { schema, batches: vec![batch] })
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        self.column(py, name)
    }

    fn __repr__(&self) -> String {
        format!("Table({} rows; {})", self.__len__(), self.names().join(", "))
    }

    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        let index = self.index(py, name)?;
        let list = PyList::empty(py);
        for batch in &self.batches {
            for value in values(py, batch.column(index))? {
                list.append(value)?;
            }
        }
        Ok(list)
    }

    fn select(&self, py: Python<'_>, names: Vec<String>) -> PyResult<Self> {
        let indices: PyResult<Vec<usize>> = names.iter().map(|name| self.index(py, name)).collect();
        let indices = indices?;
        let failed = |e: ArrowError| fault::library(py, Error::Data(e.to_string()));
        let schema = Arc::new(self.schema.project(&indices).map_err(failed)?);
        let batches = self.batches.iter().map(|batch| batch.project(&indices));
        let batches = batches.collect::<std::result::Result<_, _>>().map_err(failed)?;
        Ok(Self { schema, batches })
    }

    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<String> {
        work(py, None, move |_| self.written(&path))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol lets the producer answer with its own schema.
        let _ = requested_schema;
        let batches = self.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

impl Table {
    fn index(&self, py: Python<'_>, name: &str) -> PyResult<usize> {
        self.schema.index_of(name).map_err(|_| {
            let allowed = format!("there is no such column, but {}", self.names().join(", "));
            fault::argument(py, "column", name, allowed)
        })
    }

    /// Equal columns give equal bytes, however they are cut into batches.
    fn written(&self, path: &std::path::Path) -> Result<String> {
        let digest = store::write_atomically(path, |to| {
            let schema = Arc::clone(&self.schema);
            let mut writer = ArrowWriter::try_new(to, schema, Some(properties()))?;
            for batch in &self.batches {
                writer.write(batch)?;
            }
            writer.close().map(drop).map_err(io::Error::other)
        })?;
        Ok(digest.blake3)
    }
}

/// One column of Python's values: yes and no, text if any of them is, else numbers.
fn array(py: Python<'_>, name: &str, values: &[Bound<'_, PyAny>]) -> PyResult<ArrayRef> {
    let present = || values.iter().filter(|value| !value.is_none());
    let all = |is: fn(&Bound<'_, PyAny>) -> bool| present().all(is) && present().next().is_some();
    if all(|value| value.is_instance_of::<PyBool>()) {
        let mut builder = BooleanBuilder::new();
        values.iter().try_for_each(|v| v.extract().map(|v| builder.append_option(v)))?;
        return Ok(Arc::new(builder.finish()));
    }
    if all(|value| value.is_instance_of::<PyInt>()) {
        let mut builder = Int64Builder::new();
        values.iter().try_for_each(|v| v.extract().map(|v| builder.append_option(v)))?;
        return Ok(Arc::new(builder.finish()));
    }
    if present().any(PyAnyMethods::is_instance_of::<PyString>) {
        let mut builder = StringBuilder::new();
        for value in values {
            let text = if value.is_none() { None } else { Some(value.str()?.to_string()) };
            builder.append_option(text);
        }
        return Ok(Arc::new(builder.finish()));
    }
    let mut builder = Float64Builder::new();
    for (row, value) in values.iter().enumerate() {
        let Ok(number) = value.extract::<Option<f64>>() else {
            let kind = value.get_type().name()?.to_string();
            let allowed = format!("row {row} is of type {kind}: text and numbers are known");
            return Err(fault::argument(py, "column", name, allowed));
        };
        builder.append_option(number.filter(|number| !number.is_nan()));
    }
    Ok(Arc::new(builder.finish()))
}

/// A column as Python's values.
fn values<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let as_type =
        |kind| cast(array, &kind).map_err(|e| fault::library(py, Error::Data(e.to_string())));
    match array.data_type() {
        DataType::Boolean => array.as_boolean().iter().map(|v| v.into_bound_py_any(py)).collect(),
        kind if kind.is_integer() => {
            let array = as_type(DataType::Int64)?;
            array.as_primitive::<Int64Type>().iter().map(|v| v.into_bound_py_any(py)).collect()
        }
        kind if kind.is_numeric() => {
            let array = as_type(DataType::Float64)?;
            array.as_primitive::<Float64Type>().iter().map(|v| v.into_bound_py_any(py)).collect()
        }
        _ => {
            let array = as_type(DataType::Utf8)?;
            array.as_string::<i32>().iter().map(|v| v.into_bound_py_any(py)).collect()
        }
    }
}
