//! Which columns are text, target and group: by name or number as asked for, or by usual names.

use super::input::Input;
use super::names::{list, nearest};
use super::row::Column;
use super::{DataOptions, preview};
use crate::error::Place;
use crate::watch::Watch;
use crate::{Error, Result};

/// Names that need no asking for.
pub(super) const TEXT: [&str; 1] = ["text"];
pub(super) const TARGET: [&str; 2] = ["target", "label"];

/// The columns that are read, in the order text, target, group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen(pub Vec<Column>);

impl Chosen {
    /// Finds the columns in the main file.
    ///
    /// # Errors
    /// [`Error::Option`] if one was not asked for and none has a usual name; [`Error::Input`] if
    /// there is no such column.
    pub fn find(input: &Input, options: &DataOptions, watch: &dyn Watch) -> Result<Self> {
        let names = input.columns(watch)?;
        let usual = |usual: &[&str]| usual.iter().find_map(|u| by_usual_name(&names, u));
        let (Some(text), Some(target)) = (
            options.text.clone().or_else(|| usual(&TEXT)),
            options.target.clone().or_else(|| usual(&TARGET)),
        ) else {
            return Err(not_given(input, options, &names));
        };
        let asked = [Some(text), Some(target), options.group.clone()];
        let columns = find_all(input, &names, asked.into_iter().flatten(), watch)?;
        for (i, column) in columns.iter().enumerate() {
            if columns[..i].contains(column) {
                let name = ["text", "target", "group"][i];
                let why = "text, target and group are different columns";
                return Err(Error::option(name, &column.name, why));
            }
        }
        Ok(Self(columns))
    }

    /// The same columns of another file, by their names.
    pub fn again(&self, input: &Input, watch: &dyn Watch) -> Result<Self> {
        let names = input.columns(watch)?;
        find_all(input, &names, self.0.iter().map(|c| c.name.clone()), watch).map(Self)
    }
}

/// A column name that is `usual` but for its case.
pub(super) fn by_usual_name(names: &[String], usual: &str) -> Option<String> {
    names.iter().find(|name| name.eq_ignore_ascii_case(usual)).cloned()
}

fn find_all(
    input: &Input,
    names: &[String],
    asked: impl Iterator<Item = String>,
    watch: &dyn Watch,
) -> Result<Vec<Column>> {
    let find = |asked: String| {
        if let Some(column) = find(input, names, &asked)? {
            return Ok(column);
        }
        // A key of JSON may first occur far down.
        let all = input.all_columns(watch)?;
        find(input, &all, &asked)?.ok_or_else(|| no_column(input, &all, &asked))
    };
    asked.map(find).collect()
}

/// The column of this name, else of this number.
fn find(input: &Input, names: &[String], asked: &str) -> Result<Option<Column>> {
    let named: Vec<usize> = (0..names.len()).filter(|&i| names[i] == asked).collect();
    let index = match named.as_slice() {
        [] => asked.parse().ok().and_then(|n: usize| n.checked_sub(1)).filter(|&i| i < names.len()),
        &[index] => Some(index),
        several => {
            let numbers: Vec<String> = several.iter().map(|i| (i + 1).to_string()).collect();
            let numbers = list(&numbers);
            let message =
                format!("{} columns are called so; ask by number: {numbers}", several.len());
            return Err(damage(input, asked, message));
        }
    };
    Ok(index.map(|index| Column { index, name: names[index].clone() }))
}

fn no_column(input: &Input, names: &[String], asked: &str) -> Error {
    let near = match nearest(asked, names) {
        near if near.is_empty() => String::new(),
        near => format!("nearest: {}; ", list(&near)),
    };
    let (names, hint) = (list(names), header_hint(input));
    damage(input, asked, format!("no such column; {near}the file has {names}{hint}"))
}

fn damage(input: &Input, column: &str, message: String) -> Error {
    let place = Place { column: Some(column.to_owned()), ..Place::default() };
    match input.source.damage(place, message) {
        Error::Input { place, message } => Error::Column { place, message },
        other => other,
    }
}

/// Names the exact flags, with guesses from the first rows.
fn not_given(input: &Input, options: &DataOptions, names: &[String]) -> Error {
    let preview = match preview(options) {
        Ok(preview) => preview,
        Err(error) => return error,
    };
    let flag = |flag: &str, given: &Option<String>, guess: &Option<String>| {
        let guess = || guess.as_ref().map(|name| easily_typed(name, names));
        let value = given.clone().or_else(guess).unwrap_or_else(|| "COLUMN".to_owned());
        format!("--{flag} {value}")
    };
    let text = flag("text", &options.text, &preview.text);
    let target = flag("target", &options.target, &preview.target);
    let found = options.text.is_some() || by_usual_name(names, TEXT[0]).is_some();
    let why = format!(
        "`{}` has {}; name the columns, perhaps by `{text} {target}`{}",
        input.source.path.display(),
        list(names),
        header_hint(input)
    );
    Error::option(if found { "target" } else { "text" }, "not given", why)
}

/// A name, or the number of the column where a shell would need quotation marks for the name.
fn easily_typed(name: &str, names: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let number = names.iter().position(|n| n == name).map_or(0, |i| i + 1);
    if name.chars().all(plain) { name.to_owned() } else { number.to_string() }
}

fn header_hint(input: &Input) -> &'static str {
    if input.has_header() { "; if the first row is data, add `--no-header`" } else { "" }
}
