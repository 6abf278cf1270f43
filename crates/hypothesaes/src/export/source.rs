//! The tables of a run directory, as they lie there.

use std::path::{Path, PathBuf};

use super::PAPER;
use crate::data::names;
use crate::store::{self, Stage, Standing};
use crate::table::dictionary::{Entry, dictionary};
use crate::table::{Values, parquet};
use crate::{Error, Result};

/// Folders of tables; the second has those with a row per text and more.
const FOLDERS: [&str; 2] = ["tables", "data"];

/// A run directory.
pub(super) struct Source {
    pub folder: PathBuf,
    standing: Standing,
}

/// A column and what the data dictionary says of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub name: String,
    pub unit: String,
    pub description: String,
    pub values: Values,
}

/// A table of the run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    pub name: String,
    pub columns: Vec<Column>,
}

impl Sheet {
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.values.len())
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The text of a cell; `None` if there is no such column, or it is missing.
    pub fn text(&self, column: &str, row: usize) -> Option<&str> {
        match &self.column(column)?.values {
            Values::Text(v) => v[row].as_deref(),
            _ => None,
        }
    }

    /// The number of a cell.
    pub fn number(&self, column: &str, row: usize) -> Option<f64> {
        match &self.column(column)?.values {
            Values::Number(v) => v[row],
            Values::Integer(v) => v[row].map(|n| n as f64),
            _ => None,
        }
    }

    /// The different texts of a column, in the order in which they come.
    pub fn different(&self, column: &str, mut keep: impl FnMut(usize) -> bool) -> Vec<&str> {
        let mut found = Vec::new();
        for text in (0..self.rows()).filter(|&row| keep(row)).filter_map(|r| self.text(column, r)) {
            if !found.contains(&text) {
                found.push(text);
            }
        }
        found
    }
}

impl Source {
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self { folder: folder.into(), standing: store::standing(folder)? })
    }

    /// The tables that are wanted, each once; none named: those of results.
    pub fn chosen(&self, wanted: &[String]) -> Result<Vec<String>> {
        if wanted.is_empty() {
            self.check_finished()?;
            let there = |name: &&str| self.path(name, "parquet").is_some();
            return Ok(PAPER.into_iter().filter(there).map(str::to_owned).collect());
        }
        let mut chosen: Vec<String> = Vec::new();
        for name in wanted {
            if self.path(name, "parquet").is_none() {
                return Err(self.lacks(name));
            }
            if !chosen.contains(name) {
                chosen.push(name.clone());
            }
        }
        Ok(chosen)
    }

    /// Where a table lies in a format that the run itself writes.
    pub fn path(&self, name: &str, ending: &str) -> Option<PathBuf> {
        // A name is one of a table, not a way out of the folder.
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let paths = FOLDERS.map(|f| self.folder.join(f).join(format!("{name}.{ending}")));
        paths.into_iter().find(|path| is_name && path.is_file())
    }

    pub fn sheet(&self, name: &str) -> Result<Sheet> {
        let path = self.path(name, "parquet").ok_or_else(|| self.lacks(name))?;
        let about = |column: &str| {
            let is_it = |e: &&Entry| e.table == name && e.column == column;
            self.standing.dictionary.iter().find(is_it)
        };
        let column = |(column, values): (String, Values)| {
            let (unit, description) = about(&column)
                .map_or_else(Default::default, |e| (e.unit.clone(), e.description.clone()));
            Column { name: column, unit, description, values }
        };
        let columns = parquet::read(&path)?.into_iter().map(column).collect();
        Ok(Sheet { name: name.into(), columns })
    }

    /// The data dictionary of these tables.
    pub fn dictionary(&self, tables: &[String]) -> Sheet {
        let of = |e: &&Entry| tables.contains(&e.table);
        let entries: Vec<Entry> = self.standing.dictionary.iter().filter(of).cloned().collect();
        let table = dictionary(&entries);
        let columns = table.columns.into_iter().map(|c| Column {
            name: c.name.into(),
            unit: c.unit.into(),
            description: c.description.into(),
            values: c.values,
        });
        Sheet { name: table.name.into(), columns: columns.collect() }
    }

    fn check_finished(&self) -> Result<()> {
        if self.standing.stages.contains(&Stage::Evaluate) {
            return Ok(());
        }
        let done: Vec<&str> = self.standing.stages.iter().map(|stage| stage.name()).collect();
        let so_far = if done.is_empty() { "nothing".into() } else { done.join(", ") };
        let message = format!(
            "is not finished (done: {so_far}): the command that began it goes on from there; what is \
             there already is exported by `--table NAME`"
        );
        Err(Error::Run { path: self.folder.clone(), message })
    }

    fn lacks(&self, name: &str) -> Error {
        let there = self.names();
        let allowed = match names::nearest(name, &there).first() {
            Some(near) => format!("the run has no such table; did you mean `{near}`"),
            None => "the run has no such table".into(),
        };
        let there = if there.is_empty() { "none yet".into() } else { there.join(", ") };
        Error::option("table", name, format!("{allowed}; there are: {there}"))
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in FOLDERS {
            let entries = std::fs::read_dir(self.folder.join(folder)).into_iter().flatten();
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                names.extend(name.strip_suffix(".parquet").map(str::to_owned));
            }
        }
        names.sort_unstable();
        names
    }
}
