//! A file of annotations made by hand, read cell by cell.

use std::ops::ControlFlow::Continue;
use std::path::Path;
use std::rc::Rc;

use super::DataOptions;
use super::input::Input;
use super::row::{Cell, Column};
use super::target::Value;
use crate::error::Place;
use crate::watch::Unwatched;
use crate::{Error, Result};

/// The cells of a file; a cell without a value is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// Reads all cells of a file of any known format.
///
/// # Errors
/// [`Error::Missing`], [`Error::Input`] for damage.
pub fn read_sheet(path: &Path) -> Result<Sheet> {
    let options = DataOptions { path: path.to_owned(), ..DataOptions::default() };
    let input = Input::inspect(path, &options)?;
    let columns = input.all_columns(&Unwatched)?;
    let wanted: Vec<Column> = columns.iter().cloned().enumerate().map(column).collect();
    let mut rows = Vec::new();
    input.each_row(&wanted, &Rc::default(), &Unwatched, &mut |row| {
        rows.push(row.cells.iter().map(written).collect());
        Ok(Continue(()))
    })?;
    Ok(Sheet { columns, rows })
}

impl Sheet {
    /// Yes, no or nothing.
    ///
    /// # Errors
    /// [`Error::Input`] for anything else, with its place.
    pub fn answer(&self, file: &Path, row: usize, column: usize) -> Result<Option<bool>> {
        let Some(written) = &self.rows[row][column] else { return Ok(None) };
        let place = || Place {
            file: file.to_owned(),
            row: Some(row as u64 + 1),
            column: Some(self.columns[column].clone()),
            ..Place::default()
        };
        let wrong = |message: String| Error::Input { place: place(), message };
        match Value::parse(written).map_err(wrong)? {
            Value::Missing => Ok(None),
            Value::Number(1.0) => Ok(Some(true)),
            Value::Number(0.0) => Ok(Some(false)),
            Value::Word(word) => match word.to_lowercase().as_str() {
                "yes" | "y" | "true" | "x" => Ok(Some(true)),
                "no" | "n" | "false" => Ok(Some(false)),
                _ => Err(wrong(format!("`{word}` is neither yes nor no; write 1, 0 or nothing"))),
            },
            Value::Number(v) => {
                Err(wrong(format!("`{v}` is neither yes nor no; write 1, 0 or nothing")))
            }
        }
    }
}

fn column((index, name): (usize, String)) -> Column {
    Column { index, name }
}

fn written(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Missing | Cell::Other(_) => None,
        Cell::Text(text) => Some(text.to_string()).filter(|text| !text.trim().is_empty()),
        Cell::Integer(value) => Some(value.to_string()),
        Cell::Float(value) => Some(value.to_string()),
        Cell::Flag(value) => Some(value.to_string()),
    }
}
