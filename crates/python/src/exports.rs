//! Tables of a run directory for papers and other programs.

use std::path::PathBuf;

use hypothesaes::export::{self as library, ExportOptions, Format, Place};
use hypothesaes::{Error, Result};
use pyo3::prelude::*;

use crate::work::work;

#[pyfunction]
pub fn export(
    py: Python<'_>,
    folder: PathBuf,
    tables: Vec<String>,
    formats: Vec<String>,
    out: PathBuf,
    is_file: bool,
    excel: bool,
) -> PyResult<(Vec<String>, Vec<String>)> {
    work(py, None, move |_| {
        let options = ExportOptions { tables, formats: named(&formats)?, excel };
        let place = if is_file { Place::File(out) } else { Place::Folder(out) };
        let exported = library::export(&folder, &options, &place)?;
        let files = exported.files.iter().map(|path| path.display().to_string()).collect();
        Ok((files, exported.notes))
    })
}

#[pyfunction]
pub fn export_text(
    py: Python<'_>,
    folder: PathBuf,
    table: String,
    format: String,
) -> PyResult<String> {
    work(py, None, move |_| {
        let formats = named(std::slice::from_ref(&format))?;
        let options = ExportOptions { tables: vec![table], formats, excel: false };
        let (bytes, _) = library::bytes(&folder, &options)?;
        String::from_utf8(bytes).map_err(|_| {
            Error::option("format", &format, "is no text: choose csv, markdown or latex")
        })
    })
}

fn named(formats: &[String]) -> Result<Vec<Format>> {
    formats.iter().map(|name| Format::named(name)).collect()
}
