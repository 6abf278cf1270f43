//! Tables as a workbook for Excel: a sheet for each, numbers as numbers, words never as formulas.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::source::{Column, Sheet};
use crate::data::names::count;
use crate::table::Values;
use crate::{Error, Result};

/// Rows of a sheet, the head among them.
const ROWS: usize = 1_048_576;
/// UTF-16 units of a cell.
const LETTERS: usize = 32_767;
/// Rows that the width of a column goes by.
const LOOKED_AT: usize = 500;
/// Letters that a column is wide, at least and at most.
const WIDTHS: (usize, usize) = (8, 60);
/// Whole numbers that the numbers of Excel hold.
const WHOLE: u64 = 1 << 53;

/// The workbook, and what there is to know about it. The same tables give the same bytes.
///
/// # Errors
/// [`Error::Data`] if a table has more rows than a sheet.
pub(super) fn write(sheets: &[Sheet]) -> Result<(Vec<u8>, Vec<String>)> {
    for sheet in sheets {
        check(&sheet.name, sheet.rows())?;
    }
    let mut notes = Vec::new();
    let bytes = workbook(sheets, &mut notes).map_err(|e| {
        Error::Data(format!("the workbook cannot be made: {e}; export csv instead"))
    })?;
    Ok((bytes, notes))
}

fn check(name: &str, rows: usize) -> Result<()> {
    if rows < ROWS {
        return Ok(());
    }
    Err(Error::Data(format!(
        "the table `{name}` has {} rows, and a sheet of Excel holds {}: export it as csv or parquet",
        count(rows),
        count(ROWS - 1)
    )))
}

fn workbook(sheets: &[Sheet], notes: &mut Vec<String>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // Of the clock nothing goes in.
    let never = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&never));
    let bold = Format::new().set_bold();
    for sheet in sheets {
        let page = workbook.add_worksheet();
        page.set_name(name_of(&sheet.name))?;
        page.set_freeze_panes(1, 0)?;
        for (number, column) in (0..).zip(&sheet.columns) {
            page.write_string_with_format(0, number, &column.name, &bold)?;
            page.set_column_width(number, width(column))?;
            let cut = fill(page, number, column)?;
            if cut > 0 {
                notes.push(format!(
                    "{cut} of the texts in column `{}` of `{}` are cut in the workbook, where a cell \
                     holds {} letters; csv and parquet have all",
                    column.name,
                    sheet.name,
                    count(LETTERS)
                ));
            }
        }
    }
    workbook.save_to_buffer()
}

/// Excel takes names of 31 letters.
fn name_of(table: &str) -> String {
    table.chars().take(31).collect()
}

/// Writes the column; gives how many of its texts had to be cut.
fn fill(page: &mut Worksheet, number: u16, column: &Column) -> Result<usize, XlsxError> {
    let mut n_cut = 0;
    for (row, i) in (1..).zip(0..column.values.len()) {
        match &column.values {
            Values::Text(v) => {
                let Some(text) = &v[i] else { continue };
                let (kept, is_cut) = cut(text);
                n_cut += usize::from(is_cut);
                page.write_string(row, number, kept)?;
            }
            Values::Number(v) => match v[i] {
                Some(x) if x.is_finite() => drop(page.write_number(row, number, x)?),
                // As CSV has them.
                Some(x) => drop(page.write_string(row, number, x.to_string())?),
                None => {}
            },
            Values::Integer(v) => match v[i] {
                Some(n) if n.unsigned_abs() <= WHOLE => {
                    page.write_number(row, number, n as f64)?;
                }
                Some(n) => drop(page.write_string(row, number, n.to_string())?),
                None => {}
            },
            Values::Flag(v) => {
                if let Some(flag) = v[i] {
                    page.write_boolean(row, number, flag)?;
                }
            }
        }
    }
    Ok(n_cut)
}

/// As much of the text as a cell holds, and whether that is not all.
fn cut(text: &str) -> (String, bool) {
    if text.len() <= LETTERS || text.encode_utf16().count() <= LETTERS {
        return (text.to_owned(), false);
    }
    let mut room = LETTERS - 1;
    let fits = |c: &char| {
        let fits = c.len_utf16() <= room;
        room = room.saturating_sub(c.len_utf16());
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    (kept + "…", true)
}

fn width(column: &Column) -> f64 {
    let letters = |i: usize| column.values.shown(i).chars().take(WIDTHS.1).count();
    let widest = (0..column.values.len().min(LOOKED_AT)).map(letters).max().unwrap_or(0);
    // Beside the letters, room for the margins.
    (widest.max(column.name.len()).clamp(WIDTHS.0, WIDTHS.1) + 2) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rows_than_a_sheet_holds_are_an_error_that_names_the_way_out() {
        assert!(check("rows", ROWS - 1).is_ok());
        let message = check("rows", ROWS).unwrap_err().to_string();
        assert!(
            message.contains("1,048,576 rows") && message.contains("csv or parquet"),
            "{message}"
        );
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        let long = "𝄞".repeat(LETTERS);
        let (kept, is_cut) = cut(&long);
        assert!(is_cut && kept.ends_with("𝄞…") && kept.encode_utf16().count() <= LETTERS);
        assert_eq!(cut(&"a".repeat(LETTERS)), ("a".repeat(LETTERS), false));
    }
}
