//! What to read and how to understand it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::embed::check_chunk;
use crate::{Error, Result};

/// Which files to read, which of their columns count, and what the target is.
///
/// A column is named by its header or by its 1-based number; a header wins over a number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataOptions {
    /// The main file.
    pub path: PathBuf,
    /// Format of every file; by default the content decides, then the name.
    pub format: Option<Format>,
    /// Encoding of text files, such as `windows-1252`; by default UTF-8, or UTF-16 by its mark.
    pub encoding: Option<String>,
    /// The first row of a delimited file is data.
    pub no_header: bool,
    /// Names for the columns of a file without header; by default `1`, `2`, ...
    pub columns: Vec<String>,
    /// Column of the texts; by default the one called `text`.
    #[serde(deserialize_with = "scalar")]
    pub text: Option<String>,
    /// Column of the other text of each row: pairs, of which the target says which one won.
    #[serde(deserialize_with = "scalar")]
    pub text_b: Option<String>,
    /// Column of the target; by default the one called `target` or `label`.
    #[serde(deserialize_with = "scalar")]
    pub target: Option<String>,
    /// Column whose equal values stay in one part.
    #[serde(deserialize_with = "scalar")]
    pub group: Option<String>,
    /// Column of the weight of each row, 0 or more.
    #[serde(deserialize_with = "scalar")]
    pub weight: Option<String>,
    /// Columns that are held constant: numbers as they are, words as categories.
    #[serde(deserialize_with = "scalars")]
    pub controls: Vec<String>,
    /// Columns whose every value has a level of its own, however many there are.
    #[serde(deserialize_with = "scalars")]
    pub fixed_effects: Vec<String>,
    /// Column within whose values neurons are chosen, and between which effects are compared.
    #[serde(deserialize_with = "scalar")]
    pub strata: Option<String>,
    /// Column of what a count is to be divided by, above 0.
    #[serde(deserialize_with = "scalar")]
    pub exposure: Option<String>,
    /// Rows with one of these targets are left out.
    #[serde(deserialize_with = "scalars")]
    pub drop_target: Vec<String>,
    /// This value of the target against all others.
    #[serde(deserialize_with = "scalar")]
    pub positive: Option<String>,
    /// The words of an ordered target, lowest first.
    #[serde(deserialize_with = "scalars")]
    pub levels: Vec<String>,
    /// What the target is; by default its values decide.
    pub task: Option<TaskChoice>,
    /// A file of its own for the validation part, with the same columns.
    pub validation: Option<PathBuf>,
    /// A file of its own for the held-out part, with the same columns.
    pub heldout: Option<PathBuf>,
    /// Keep a random sample of so many rows, for a first look.
    pub sample: Option<usize>,
    /// Texts are cut into pieces of whole sentences, of so many tokens (of four characters) at most: each
    /// is a row, and those of one text are a group.
    pub chunk: Option<usize>,
}

/// How a file holds its rows. Each may also be packed by gzip or zstd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Fields between commas, semicolons, bars or tabs, quoted as in RFC 4180.
    Csv,
    /// Fields between tabs; a quotation mark is a character like any other.
    Tsv,
    /// One object a line.
    Jsonl,
    /// One array of objects.
    Json,
    Parquet,
    /// Arrow IPC, file (Feather version 2) or stream.
    Arrow,
}

/// The user's word on what the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskChoice {
    Continuous,
    Binary,
    /// Each class against all others.
    Multiclass,
    /// How often something happened: 0, 1, 2, ...
    Count,
    /// Levels with an order but no distances: proportional odds.
    Ordinal,
}

impl DataOptions {
    /// # Errors
    /// [`Error::Option`] for options that are out of range or contradict each other.
    pub fn check(&self) -> Result<()> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::option("path", "", "name the file to read"));
        }
        if self.sample.is_some_and(|n| n < 20) {
            let given = self.sample.unwrap_or_default();
            return Err(Error::option("data.sample", given, "choose at least 20"));
        }
        if !self.columns.is_empty() && !self.no_header {
            let given = self.columns.join(",");
            let why = "names are for a file without header; add `--no-header` or leave them out";
            return Err(Error::option("columns", given, why));
        }
        if let Some(name) = repeated(&self.columns) {
            return Err(Error::option("columns", name, "a name may be given once"));
        }
        check_chunk("data.chunk", self.chunk)?;
        if let (Some(tokens), Some(_)) = (self.chunk, &self.text_b) {
            let why = "the pieces of two texts make no pairs; `embed.chunk` cuts each text for its vector";
            return Err(Error::option("data.chunk", tokens, why));
        }
        self.check_target()?;
        self.encoding().map(|_| ())
    }

    fn check_target(&self) -> Result<()> {
        if let (Some(positive), Some(task)) = (&self.positive, self.task)
            && task != TaskChoice::Binary
        {
            let why = format!("a {task} target has no positive class; leave one of the two out");
            return Err(Error::option("positive", positive, why));
        }
        if let Some(name) = repeated(&self.levels) {
            return Err(Error::option("levels", name, "a level may be named once"));
        }
        if !self.levels.is_empty() && self.positive.is_some() {
            let why = "levels are for an ordered target, a positive class for one of two";
            return Err(Error::option("levels", self.levels.join(","), why));
        }
        if let (Some(exposure), task) = (&self.exposure, self.task)
            && task != Some(TaskChoice::Count)
        {
            let why = "only counts have an exposure; add `--task count` or leave it out";
            return Err(Error::option("exposure", exposure, why));
        }
        if let (Some(text_b), Some(task)) = (&self.text_b, self.task)
            && !matches!(task, TaskChoice::Binary | TaskChoice::Continuous)
        {
            let why = format!("the target of pairs is which text won, or by how much, not {task}");
            return Err(Error::option("text_b", text_b, why));
        }
        if let (Some(_), Some(factor)) = (&self.text_b, self.fixed_effects.first()) {
            let why = "what both texts of a pair share has no effect on which of them wins; name \
                       it as strata, or leave it out";
            return Err(Error::option("fixed_effects", factor, why));
        }
        Ok(())
    }

    /// The encoding that [`Self::encoding`] names.
    pub(super) fn encoding(&self) -> Result<Option<&'static encoding_rs::Encoding>> {
        let Some(label) = &self.encoding else { return Ok(None) };
        encoding_rs::Encoding::for_label_no_replacement(label.trim().as_bytes())
            .map(Some)
            .ok_or_else(|| {
                let known = "name one such as `utf-8`, `utf-16le`, `windows-1252`, `shift_jis`";
                Error::option("encoding", label, known)
            })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Jsonl => "JSON lines",
            Self::Json => "a JSON array",
            Self::Parquet => "Parquet",
            Self::Arrow => "Arrow",
        })
    }
}

impl fmt::Display for TaskChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuous => "continuous",
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Count => "count",
            Self::Ordinal => "ordinal",
        })
    }
}

/// The first name that occurs twice.
fn repeated(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)).map(|(_, name)| name)
}

/// A value that an options file may write with or without quotation marks: `"1"` or `1`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Integer(i64),
    Number(f64),
}

impl Scalar {
    fn text(self) -> String {
        match self {
            Self::Text(value) => value,
            Self::Flag(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
        }
    }
}

fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Scalar>::deserialize(deserializer)?.map(Scalar::text))
}

fn scalars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<Scalar>::deserialize(deserializer)?.into_iter().map(Scalar::text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_options_file_may_leave_quotation_marks_out() {
        let options: DataOptions =
            toml::from_str("path = 'a.csv'\ntarget = 2\npositive = 1\ndrop_target = [0, 'x', 0.5]")
                .unwrap();
        assert_eq!(options.target.as_deref(), Some("2"));
        assert_eq!(options.positive.as_deref(), Some("1"));
        assert_eq!(options.drop_target, ["0", "x", "0.5"]);
        let written = toml::to_string(&options).unwrap();
        assert_eq!(toml::from_str::<DataOptions>(&written).unwrap(), options);
    }

    #[test]
    fn contradictions_are_refused() {
        let good = DataOptions { path: "a.csv".into(), ..DataOptions::default() };
        assert!(good.check().is_ok());
        let check = |bad: DataOptions, name: &str| {
            let message = bad.check().unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{name}` is ")), "{message}");
        };
        check(DataOptions::default(), "path");
        check(DataOptions { columns: vec!["a".into()], ..good.clone() }, "columns");
        let twice = vec!["a".into(), "a".into()];
        check(DataOptions { columns: twice, no_header: true, ..good.clone() }, "columns");
        check(DataOptions { encoding: Some("klingon".into()), ..good.clone() }, "encoding");
        let task = Some(TaskChoice::Continuous);
        check(DataOptions { positive: Some("1".into()), task, ..good.clone() }, "positive");
        check(DataOptions { exposure: Some("days".into()), ..good.clone() }, "exposure");
        let levels = vec!["low".into(), "low".into()];
        check(DataOptions { levels, ..good.clone() }, "levels");
        let task = Some(TaskChoice::Count);
        check(DataOptions { text_b: Some("b".into()), task, ..good }, "text_b");
    }
}
