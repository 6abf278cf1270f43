//! What a file holds, known before any of it is written.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::display::{Room, Shown};
use super::place::Item;
use super::source::Source;
use super::{Format, display, latex, markdown, xlsx};
use crate::table::{Values, csv as table_csv, parquet};
use crate::{Error, Result};

/// The mark by which Excel knows UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// What is written, and what there is to know about it.
pub(super) struct Content {
    body: Body,
    pub notes: Vec<String>,
}

enum Body {
    Bytes(Vec<u8>),
    /// The run's own file, behind a few bytes.
    Copy(&'static [u8], PathBuf),
    /// A Parquet file as CSV, behind a few bytes.
    Rows(&'static [u8], PathBuf),
}

pub(super) fn content(source: &Source, item: &Item, excel: bool) -> Result<Content> {
    let mut notes = Vec::new();
    let body = match item.format {
        Format::Xlsx => {
            let (bytes, cut) = workbook(source, &item.tables)?;
            notes = cut;
            Body::Bytes(bytes)
        }
        Format::Csv => {
            let mark = if excel { MARK } else { b"" };
            match source.path(&item.tables[0], "csv") {
                Some(path) => Body::Copy(mark, path),
                None => Body::Rows(mark, twin(source, item)?),
            }
        }
        Format::Parquet => Body::Copy(b"", twin(source, item)?),
        Format::Markdown => {
            Body::Bytes(markdown::write(&shown(source, item, Room::Screen)?).into_bytes())
        }
        Format::Latex => Body::Bytes(latex::write(&shown(source, item, Room::Page)?).into_bytes()),
    };
    Ok(Content { body, notes })
}

impl Content {
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        match &self.body {
            Body::Bytes(bytes) => to.write_all(bytes),
            Body::Copy(mark, path) => {
                to.write_all(mark)?;
                io::copy(&mut File::open(path)?, to).map(drop)
            }
            Body::Rows(mark, path) => {
                to.write_all(mark)?;
                rows(path, to)
            }
        }
    }
}

fn twin(source: &Source, item: &Item) -> Result<PathBuf> {
    let name = &item.tables[0];
    let gone = || Error::option("table", name, "the run has no such table any more: try again");
    source.path(name, "parquet").ok_or_else(gone)
}

fn shown(source: &Source, item: &Item, room: Room) -> Result<Shown> {
    display::shown(source, &source.sheet(&item.tables[0])?, room)
}

fn workbook(source: &Source, tables: &[String]) -> Result<(Vec<u8>, Vec<String>)> {
    let mut sheets = Vec::new();
    for name in tables.iter().filter(|&name| name != "dictionary") {
        sheets.push(source.sheet(name)?);
    }
    sheets.push(if tables.iter().any(|name| name == "dictionary") {
        source.sheet("dictionary")?
    } else {
        source.dictionary(tables)
    });
    xlsx::write(&sheets)
}

/// Part by part, for tables that are larger than memory.
fn rows(path: &Path, to: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(to);
    for (number, part) in parquet::batches(path).map_err(io::Error::other)?.enumerate() {
        let part = part?;
        if number == 0 {
            csv.write_record(part.iter().map(|(name, _)| name))?;
        }
        let columns: Vec<&Values> = part.iter().map(|(_, values)| values).collect();
        table_csv::write_rows(&columns, &mut csv)?;
    }
    csv.flush()
}
