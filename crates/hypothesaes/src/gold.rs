//! Annotations by hand of some held-out texts: the sheet to fill in, and what has been filled in.
//!
//! Corrections rest on texts drawn at random from the held-out ones, as [`sheet`] draws them. What
//! they say of the hypotheses is [`crate::evaluate::correct`]'s business.

use std::collections::HashMap;
use std::path::Path;

use hypothesaes_math::random::{permutation, stream};

use crate::data::{Dataset, Split, read_sheet};
use crate::evaluate::hypothesis_id;
use crate::{Error, Result};

/// Annotations by hand: a column per hypothesis with an entry per held-out text.
pub type ByHand = Vec<Vec<Option<bool>>>;

/// Reads the file, matching its rows with the held-out texts by `row_id` (and `side`) or `text`, and
/// its columns with the hypotheses by their ids or wordings.
///
/// # Errors
/// [`Error::Missing`], [`Error::Input`], [`Error::Data`] for a file that matches nothing.
pub fn read(path: &Path, data: &Dataset, wordings: &[String]) -> Result<ByHand> {
    let sheet = read_sheet(path)?;
    let texts = data.texts_in(Split::Heldout);
    let columns: Vec<Option<usize>> =
        (0..wordings.len()).map(|j| column_of(&sheet.columns, j, &wordings[j])).collect();
    if columns.iter().all(Option::is_none) {
        return Err(Error::Data(format!(
            "`{}` has no column for any hypothesis; name them by their ids, as in H01",
            path.display()
        )));
    }
    let places = Places::of(data, &texts, &sheet.columns, path)?;
    let mut by_hand = vec![vec![None; texts.len()]; wordings.len()];
    let mut matched = 0;
    for (row, cells) in sheet.rows.iter().enumerate() {
        let Some(text) = places.find(cells) else { continue };
        matched += 1;
        for (column, answers) in columns.iter().zip(&mut by_hand) {
            if let Some(column) = column {
                answers[text] = sheet.answer(path, row, *column)?.or(answers[text]);
            }
        }
    }
    if matched == 0 {
        return Err(Error::Data(format!(
            "no row of `{}` is one of the held-out texts; `hypothesaes gold RUN` draws some to \
             annotate",
            path.display()
        )));
    }
    Ok(by_hand)
}

/// The column of hypothesis `j`: its id, alone or before a colon, or its wording.
fn column_of(columns: &[String], j: usize, wording: &str) -> Option<usize> {
    let id = hypothesis_id(j);
    let is = |name: &String| {
        let name = name.trim();
        name == wording || name == id || name.strip_prefix(&id).is_some_and(|r| r.starts_with(':'))
    };
    columns.iter().position(is)
}

/// Where a row's text is among the held-out ones.
struct Places<'a> {
    row_id: Option<usize>,
    side: Option<usize>,
    text: Option<usize>,
    by_row: HashMap<(String, &'static str), usize>,
    by_text: HashMap<&'a str, usize>,
}

impl<'a> Places<'a> {
    fn of(data: &'a Dataset, texts: &[usize], columns: &[String], path: &Path) -> Result<Self> {
        let named = |name: &str| columns.iter().position(|c| c.trim().eq_ignore_ascii_case(name));
        let (row_id, side, text) = (named("row_id"), named("side"), named("text"));
        if row_id.is_none() && text.is_none() {
            return Err(Error::Data(format!(
                "`{}` has neither a column `row_id` nor `text`, which say what was annotated",
                path.display()
            )));
        }
        if data.is_paired && row_id.is_some() && side.is_none() {
            return Err(Error::Data(format!(
                "`{}` has no column `side`, which says which text of a pair was annotated",
                path.display()
            )));
        }
        let sides = data.sides(texts).unwrap_or_else(|| vec![""; texts.len()]);
        let ids = data.row_ids(texts).into_iter().map(|id| id.to_string());
        let by_row = ids.zip(sides).enumerate().map(|(at, key)| (key, at)).collect();
        let by_text = texts.iter().enumerate().map(|(at, &t)| (data.texts.get(t), at)).collect();
        Ok(Self { row_id, side, text, by_row, by_text })
    }

    fn find(&self, cells: &[Option<String>]) -> Option<usize> {
        let cell = |at: Option<usize>| cells[at?].as_deref().map(str::trim);
        if let Some(id) = cell(self.row_id) {
            let side = match cell(self.side) {
                Some("a") => "a",
                Some("b") => "b",
                _ => "",
            };
            return self.by_row.get(&(id.to_owned(), side)).copied();
        }
        self.by_text.get(cells[self.text?].as_deref()?).copied()
    }
}

/// A sheet to annotate by hand: `n` held-out texts drawn at random, of pairs both texts of half as
/// many rows, with an empty column for every hypothesis, as CSV; and how many texts are on it.
///
/// # Errors
/// [`Error::Data`] if the sheet cannot be put together.
pub fn sheet(data: &Dataset, wordings: &[String], n: usize, seed: u64) -> Result<(Vec<u8>, usize)> {
    let rows = data.rows(Split::Heldout);
    let mut drawn = permutation(rows.len(), &mut stream(seed, "gold"));
    drawn.truncate(if data.is_paired { n.div_ceil(2) } else { n });
    drawn.sort_unstable();
    let drawn: Vec<usize> = drawn.into_iter().map(|at| rows[at]).collect();
    let drawn = data.texts_of(&drawn);
    let (ids, sides) = (data.row_ids(&drawn), data.sides(&drawn));
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["row_id".to_owned()];
    header.extend(sides.iter().map(|_| "side".to_owned()));
    header.push("text".to_owned());
    header.extend(wordings.iter().enumerate().map(|(j, w)| format!("{}: {w}", hypothesis_id(j))));
    let failed = |e: csv::Error| Error::Data(format!("the sheet cannot be written: {e}"));
    csv.write_record(&header).map_err(failed)?;
    for (at, &text) in drawn.iter().enumerate() {
        let mut record = vec![ids[at].to_string()];
        record.extend(sides.iter().map(|sides| sides[at].to_owned()));
        record.push(data.texts.get(text).to_owned());
        record.resize(header.len(), String::new());
        csv.write_record(&record).map_err(failed)?;
    }
    let sheet = csv.into_inner();
    let sheet = sheet.map_err(|e| Error::Data(format!("the sheet cannot be written: {e}")))?;
    Ok((sheet, drawn.len()))
}
