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

/// The columns that are read, and what each is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Text, target, then the others; none twice.
    pub columns: Vec<Column>,
    pub roles: Roles,
}

/// Places among the chosen columns, after text (0) and target (1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Roles {
    pub group: Option<usize>,
    pub text_b: Option<usize>,
    pub weight: Option<usize>,
    pub exposure: Option<usize>,
    pub controls: Vec<usize>,
    pub fixed_effects: Vec<usize>,
    pub strata: Option<usize>,
}

impl Roles {
    /// Controls, fixed effects and strata, whose values are numbers or words.
    pub fn categories(&self) -> impl Iterator<Item = usize> {
        self.controls.iter().chain(&self.fixed_effects).chain(&self.strata).copied()
    }
}

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
        let mut finding = Finding { input, names: &names, watch, columns: Vec::new() };
        finding.one("text", &text)?;
        if finding.one("target", &target)? == 0 {
            return Err(twice("target", &target, "text"));
        }
        let mut optional = |role, asked: &Option<String>| {
            asked.as_ref().map(|asked| finding.one(role, asked)).transpose()
        };
        let text_b = optional("text_b", &options.text_b)?;
        let group = optional("group", &options.group)?;
        let weight = optional("weight", &options.weight)?;
        let exposure = optional("exposure", &options.exposure)?;
        let strata = optional("strata", &options.strata)?;
        let controls = finding.several("controls", &options.controls)?;
        let fixed_effects = finding.several("fixed_effects", &options.fixed_effects)?;
        let roles = Roles { group, text_b, weight, exposure, controls, fixed_effects, strata };
        let chosen = Self { columns: finding.columns, roles };
        chosen.check()?;
        Ok(chosen)
    }

    /// Names of the two columns of texts, if rows are pairs.
    pub fn pair(&self) -> Option<[&str; 2]> {
        let other = self.roles.text_b?;
        Some([&self.columns[0].name, &self.columns[other].name])
    }

    /// Text and target can be nothing else, and what is held constant is held once.
    fn check(&self) -> Result<()> {
        let Roles { group, text_b, weight, exposure, strata, .. } = &self.roles;
        let single = [("text_b", text_b), ("group", group), ("weight", weight)];
        let single = single.into_iter().chain([("exposure", exposure), ("strata", strata)]);
        let single = single.filter_map(|(role, place)| place.map(|place| (role, place)));
        let controls = self.roles.controls.iter().map(|&place| ("controls", place));
        let fixed = self.roles.fixed_effects.iter().map(|&place| ("fixed_effects", place));
        for (role, place) in single.chain(controls).chain(fixed) {
            if place < 2 || (role != "text_b" && Some(place) == *text_b) {
                let other = ["text", "target"].get(place).unwrap_or(&"text_b");
                return Err(twice(role, &self.columns[place].name, other));
            }
        }
        let held: Vec<usize> = self.roles.categories().collect();
        match held.iter().enumerate().find(|(i, place)| held[..*i].contains(place)) {
            Some((_, &place)) => {
                let why = "a column is a control, a fixed effect or the strata, and that once";
                Err(Error::option("controls", &self.columns[place].name, why))
            }
            None => Ok(()),
        }
    }

    /// The same columns of another file, by their names.
    pub fn again(&self, input: &Input, watch: &dyn Watch) -> Result<Self> {
        let names = input.columns(watch)?;
        let mut finding = Finding { input, names: &names, watch, columns: Vec::new() };
        for column in &self.columns {
            finding.one("columns", &column.name)?;
        }
        Ok(Self { columns: finding.columns, roles: self.roles.clone() })
    }
}

fn twice(role: &'static str, name: &str, other: &str) -> Error {
    Error::option(role, name, format!("this is the {other} column already; name another"))
}

/// The way from names to columns of a file, each once.
struct Finding<'a> {
    input: &'a Input<'a>,
    names: &'a [String],
    watch: &'a dyn Watch,
    columns: Vec<Column>,
}

impl Finding<'_> {
    /// Place of the column asked for.
    fn one(&mut self, role: &'static str, asked: &str) -> Result<usize> {
        let column = if let Some(column) = find(self.input, self.names, asked)? {
            column
        } else {
            // A key of JSON may first occur far down.
            let all = self.input.all_columns(self.watch)?;
            find(self.input, &all, asked)?
                .ok_or_else(|| no_column(self.input, &all, asked, role))?
        };
        if let Some(place) = self.columns.iter().position(|c| *c == column) {
            return Ok(place);
        }
        self.columns.push(column);
        Ok(self.columns.len() - 1)
    }

    fn several(&mut self, role: &'static str, asked: &[String]) -> Result<Vec<usize>> {
        asked.iter().map(|asked| self.one(role, asked)).collect()
    }
}

/// What a column may be for beyond text, target and group, which messages name.
const ROLES: [&str; 6] = ["text_b", "weight", "exposure", "strata", "controls", "fixed_effects"];

/// A column name that is `usual` but for its case.
pub(super) fn by_usual_name(names: &[String], usual: &str) -> Option<String> {
    names.iter().find(|name| name.eq_ignore_ascii_case(usual)).cloned()
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

fn no_column(input: &Input, names: &[String], asked: &str, role: &str) -> Error {
    let near = match nearest(asked, names) {
        near if near.is_empty() => String::new(),
        near => format!("nearest: {}; ", list(&near)),
    };
    let (names, hint) = (list(names), header_hint(input));
    let role = if ROLES.contains(&role) { format!(" for `{role}`") } else { String::new() };
    damage(input, asked, format!("no such column{role}; {near}the file has {names}{hint}"))
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
