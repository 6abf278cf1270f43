//! A table as a reader is shown it: the columns that matter, numbers as the terminal has them.

use super::notes;
use super::shapes::{Part, caption, has_room, shape};
use super::source::{Sheet, Source};
use crate::Result;
use crate::table::Values;

/// Cells of text, with what stands around them. Nothing is escaped.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub name: String,
    pub caption: String,
    pub heads: Vec<String>,
    /// Which columns hold numbers.
    pub is_right: Vec<bool>,
    pub rows: Vec<Vec<String>>,
    /// Rows before which a line of its own stands, and the line.
    pub groups: Vec<(usize, &'static str)>,
    pub notes: Vec<String>,
}

/// How much room there is for columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// A screen.
    Screen,
    /// A printed page, upright.
    Page,
}

pub(super) fn shown(source: &Source, sheet: &Sheet, room: Room) -> Result<Shown> {
    let about = notes::About::of(&source.folder)?;
    let notes = match sheet.name.as_str() {
        "hypotheses" => {
            let effects = source.path("effects", "parquet").map(|_| source.sheet("effects"));
            about.of_hypotheses(sheet, effects.transpose()?.as_ref(), room)
        }
        _ => Vec::new(),
    };
    Ok(laid_out(sheet, &about.target, notes, room))
}

/// `notes` empty: what the columns are, by the data dictionary.
pub(super) fn laid_out(sheet: &Sheet, target: &str, notes: Vec<String>, room: Room) -> Shown {
    let has = |name: &str| sheet.column(name).is_some();
    let all = || sheet.columns.iter().map(|c| (c.name.clone(), None)).collect();
    let parts: Vec<(String, Option<Part>)> = shape(&sheet.name, has).map_or_else(all, |shape| {
        let fits = |name| room == Room::Screen || has_room(&sheet.name, name);
        let first = |part: Part| part.columns()[0];
        let there = shape.iter().filter(|(_, part)| has(first(*part)) && fits(first(*part)));
        there.map(|&(head, part)| (head.to_owned(), Some(part))).collect()
    });
    let (order, groups) = match sheet.name.as_str() {
        "hypotheses" => grouped(sheet),
        _ => ((0..sheet.rows()).collect(), Vec::new()),
    };
    let row =
        |&row: &usize| parts.iter().map(|(name, part)| cell(sheet, name, *part, row)).collect();
    Shown {
        name: sheet.name.clone(),
        caption: caption(&sheet.name, target),
        is_right: parts.iter().map(|(name, part)| is_number(sheet, name, *part)).collect(),
        rows: order.iter().map(row).collect(),
        notes: if notes.is_empty() { notes::of_columns(sheet, &parts) } else { notes },
        heads: parts.into_iter().map(|(head, _)| head).collect(),
        groups,
    }
}

/// Those that hold first, the strongest at the top.
fn grouped(sheet: &Sheet) -> (Vec<usize>, Vec<(usize, &'static str)>) {
    let claim = ["adjusted_separation", "separation"];
    let claim = claim.into_iter().find(|name| sheet.column(name).is_some()).unwrap_or_default();
    let strength = |row: usize| sheet.number(claim, row).map_or(-1.0, f64::abs);
    let (mut hold, mut others): (Vec<_>, Vec<_>) =
        (0..sheet.rows()).partition(|&row| sheet.text("status", row) == Some("holds"));
    for rows in [&mut hold, &mut others] {
        rows.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)));
    }
    let titles = [
        (0, "Hold", hold.len()),
        (hold.len(), "Do not hold, or could not be tested", others.len()),
    ];
    let titles = titles.into_iter().filter(|(_, _, n)| *n > 0).map(|(at, title, _)| (at, title));
    let titles = titles.collect();
    hold.extend(others);
    (hold, titles)
}

fn is_number(sheet: &Sheet, name: &str, part: Option<Part>) -> bool {
    match part {
        Some(Part::Column(name)) => is_number(sheet, name, None),
        Some(_) => true,
        None => {
            let column = sheet.column(name);
            column.is_some_and(|c| matches!(c.values, Values::Number(_) | Values::Integer(_)))
        }
    }
}

fn cell(sheet: &Sheet, name: &str, part: Option<Part>, row: usize) -> String {
    match part {
        None => plain(sheet, name, row),
        Some(Part::Column(name)) => plain(sheet, name, row),
        // Why a hypothesis is not in the regression.
        Some(Part::Effect(value @ "estimate", ..)) if sheet.number(value, row).is_none() => {
            sheet.text("status", row).unwrap_or_default().replace('_', " ")
        }
        Some(Part::Effect(value, low, high)) => {
            interval([value, low, high].map(|name| sheet.number(name, row)), |v| format!("{v:+.2}"))
        }
        Some(Part::Measure(value, low, high)) => {
            interval([value, low, high].map(|name| sheet.number(name, row)), |v| format!("{v:.2}"))
        }
        Some(Part::Percent(name)) => {
            sheet.number(name, row).map_or_else(String::new, |p| format!("{:.0} %", 100.0 * p))
        }
        Some(Part::Share(name)) => {
            sheet.number(name, row).map_or_else(String::new, |p| format!("{p:.2}"))
        }
    }
}

fn plain(sheet: &Sheet, name: &str, row: usize) -> String {
    if is_p(name)
        && let Some(p) = sheet.number(name, row)
    {
        return if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") };
    }
    sheet.column(name).map_or_else(String::new, |column| column.values.shown(row))
}

/// Whether a column holds p-values, by its name.
fn is_p(name: &str) -> bool {
    let kinds = ["p_value", "p_holm", "p_bh", "p_by", "p_bonferroni"];
    kinds.iter().any(|kind| {
        name.strip_suffix(kind).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    })
}

fn interval([value, low, high]: [Option<f64>; 3], number: impl Fn(f64) -> String) -> String {
    match (value, low, high) {
        (None, ..) => String::new(),
        (Some(value), Some(low), Some(high)) => {
            format!("{} [{}, {}]", number(value), number(low), number(high))
        }
        (Some(value), ..) => number(value),
    }
}
