//! The whole way from files to a [`Dataset`]: read, decide, split, and say what was done.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::choose::Chosen;
use super::gather::Gathered;
use super::input::Input;
use super::names::{clip, count};
use super::notes::Told;
use super::source::{Meter, Source};
use super::split::{Ties, largest_component, split};
use super::target::{Decision, Wish};
use super::{DataOptions, Dataset, Dropped, Split, SplitOptions, Task, Texts, chunks, notes};
use crate::error::Place;
use crate::watch::{Unwatched, Watch};
use crate::{Error, Result};
use hypothesaes_math::random::{permutation, stream};

/// What [`read`] hands over.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub dataset: Dataset,
    /// Every row that is not in the data set, and every kept duplicate, by rising `row_id`.
    pub dropped: Vec<Dropped>,
    pub counts: Counts,
    /// What was decided and noticed, a line each.
    pub notes: Vec<String>,
    pub files: Vec<InputFile>,
    /// Blake3 of the contents of all files; changes if and only if one of them does.
    pub content_hash: String,
}

/// How many rows met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub rows: u64,
    pub kept: u64,
    pub empty_texts: u64,
    pub missing_targets: u64,
    pub dropped_targets: u64,
    pub on_both_sides: u64,
    #[serde(default)]
    pub missing_values: u64,
    #[serde(default)]
    pub weightless: u64,
    /// Pairs of which both texts are the same.
    #[serde(default)]
    pub equal_sides: u64,
    /// Kept rows whose text stands in an earlier row.
    pub duplicates: u64,
    pub discover: u64,
    pub validation: u64,
    pub heldout: u64,
    pub groups: u64,
    /// Groups that the user's own files put in more than one part.
    pub straddling_groups: u64,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    pub path: PathBuf,
    pub bytes: u64,
    pub rows: u64,
    /// Blake3 of the bytes as they are on disk.
    pub hash: String,
}

/// The files, each with the part that it is by itself.
pub(super) type Inputs<'o> = Vec<(Option<Split>, Input<'o>)>;

/// Reads all files, decides what the target is, and splits the rows.
///
/// The result depends on the contents of the files, the options and the seed alone. Memory is that
/// of the texts once, and of some 100 bytes for every row.
///
/// # Errors
/// [`Error::Option`] for options that do not fit the files,
/// [`Error::Input`] for damage in them, with its place,
/// [`Error::Data`] for rows that cannot be split or have no usable target,
/// [`Error::Interrupted`] if `watch` asks to stop.
pub fn read(
    options: &DataOptions,
    shares: &SplitOptions,
    seed: u64,
    watch: &dyn Watch,
) -> Result<Loaded> {
    options.check()?;
    shares.check()?;
    let inputs: Inputs = paths(options)
        .map(|(part, path)| Input::inspect(path, options).map(|input| (part, input)))
        .collect::<Result<_>>()?;
    watch.begin("data", inputs.iter().map(|(_, input)| input.source.bytes).sum(), "bytes");
    let chosen = Chosen::find(&inputs[0].1, options, watch)?;
    let mut gathered = Gathered::new(options)?;
    let files = gather(&inputs, &chosen, &mut gathered, watch)?;
    if gathered.groups.as_ref().is_some_and(|groups| groups.alone == gathered.row_id.len()) {
        let column = chosen.roles.group.map(|place| chosen.columns[place].name.clone());
        let place = Place { file: options.path.clone(), column, ..Place::default() };
        let message = "is empty in every row; name a column that holds groups, or leave it out";
        return Err(Error::Column { place, message: message.into() });
    }
    let decision = gathered.targets.decide(Wish {
        file: &options.path,
        column: &chosen.columns[1].name,
        positive: options.positive.as_deref(),
        task: options.task,
        levels: &options.levels,
        pair: chosen.pair(),
        locate: &|kept| {
            let (file, row) = gathered.locate(gathered.row_id[kept]);
            let file = gathered.files[file].path.to_path_buf();
            Place { file, row: Some(row), ..Place::default() }
        },
    })?;
    let ties = Tied::of(&inputs, &gathered, &decision);
    let split = ties.split(&gathered, shares, seed)?;
    let (covariates, mut columns) = std::mem::take(&mut gathered.covariates).finish(&chosen)?;
    columns.extend(ties.note);
    let mut counts = counts(&gathered, &split);
    let hashes = inputs.iter().zip(&files).map(|((part, _), file)| (*part, file.hash.as_str()));
    let content_hash = combined(hashes);
    let mut notes = notes::lines(&Told {
        inputs: &inputs,
        chosen: &chosen,
        gathered: &gathered,
        counts: &counts,
        target: decision.note,
        columns,
        shares,
        seed,
    });
    let what = if gathered.others.is_some() { "pairs" } else { "texts" };
    watch.end(&format!("{} {what}", count(gathered.row_id.len())));
    let (is_paired, mut texts) = (gathered.others.is_some(), gathered.texts);
    gathered.others.iter().flat_map(Texts::iter).for_each(|text| texts.push(text));
    let mut dataset = Dataset {
        texts,
        is_paired,
        y: decision.y,
        task: decision.task,
        target: chosen.columns[1].name.clone(),
        split,
        covariates,
        group: gathered.groups.map(|groups| groups.of_row),
        row_id: gathered.row_id,
        document: None,
    };
    if let Some(n) = options.sample.filter(|n| *n < dataset.split.len()) {
        notes.push(format!("a random sample of {n} of {} rows", dataset.split.len()));
        dataset = sample(&dataset, n, seed);
        counts.count_parts(&dataset.split);
    }
    if let Some(tokens) = options.chunk {
        let documents = dataset.n_rows();
        let had_groups = dataset.group.is_some();
        dataset = chunks::in_pieces(&dataset, tokens);
        counts.count_parts(&dataset.split);
        if !had_groups {
            counts.groups = documents as u64;
        }
        notes.push(pieces(documents, dataset.n_rows(), tokens, had_groups));
    }
    Ok(Loaded { dataset, dropped: gathered.dropped, counts, notes, files, content_hash })
}

fn pieces(documents: usize, n: usize, tokens: usize, had_groups: bool) -> String {
    let group = if had_groups { "" } else { ", and the pieces of a text are a group" };
    format!(
        "{} texts are cut into {} pieces of at most {tokens} tokens (of 4 characters): each is a row{group}",
        count(documents),
        count(n)
    )
}

/// `n` rows at random, each in its part.
fn sample(data: &Dataset, n: usize, seed: u64) -> Dataset {
    let mut rows = permutation(data.split.len(), &mut stream(seed, "sample"));
    rows.truncate(n);
    rows.sort_unstable();
    data.gather(&rows)
}

/// [`Loaded::content_hash`] without understanding the files.
///
/// # Errors
/// As [`read`], for files that cannot be read at all.
pub fn content_hash(options: &DataOptions) -> Result<String> {
    options.check()?;
    let mut hashes = Vec::new();
    for (part, path) in paths(options) {
        let meter = Rc::new(Meter::default());
        Source::find(path)?.hash(&meter, &Unwatched)?;
        hashes.push((part, meter.hash()));
    }
    Ok(combined(hashes.iter().map(|(part, hash)| (*part, hash.as_str()))))
}

/// The files, each with the part that it is by itself.
fn paths(options: &DataOptions) -> impl Iterator<Item = (Option<Split>, &Path)> {
    let own = [(Split::Validation, &options.validation), (Split::Heldout, &options.heldout)];
    let own = own.into_iter().filter_map(|(part, path)| Some((Some(part), path.as_deref()?)));
    std::iter::once((None, options.path.as_path())).chain(own)
}

fn combined<'a>(hashes: impl Iterator<Item = (Option<Split>, &'a str)>) -> String {
    let mut all = blake3::Hasher::new();
    for (part, hash) in hashes {
        all.update(format!("{part:?} {hash}\n").as_bytes());
    }
    all.finalize().to_hex().to_string()
}

/// Reads the rows of all files.
fn gather(
    inputs: &Inputs,
    chosen: &Chosen,
    gathered: &mut Gathered,
    watch: &dyn Watch,
) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for (part, input) in inputs {
        let columns = if part.is_none() { chosen.clone() } else { chosen.again(input, watch)? };
        let meter = Rc::new(Meter::default());
        let rows = gathered.read(input, &columns, &meter, watch)?;
        let (path, bytes) = (input.source.path.clone(), input.source.bytes);
        files.push(InputFile { path, bytes, rows, hash: meter.hash() });
    }
    Ok(files)
}

/// What the split has to respect.
struct Tied {
    given: Vec<Option<Split>>,
    /// Kept rows with the same text.
    pairs: Vec<(u32, u32)>,
    class: Option<Vec<u32>>,
    class_names: Vec<String>,
    /// What the user should know of it.
    note: Option<String>,
}

impl Tied {
    fn of(inputs: &Inputs, gathered: &Gathered, decision: &Decision) -> Self {
        let n = gathered.row_id.len();
        let mut given = Vec::with_capacity(n);
        for ((part, _), extent) in inputs.iter().zip(&gathered.files) {
            given.resize(extent.kept_end, *part);
        }
        let class_names: Vec<String> = match &decision.task {
            Task::Binary { .. } => {
                ["the negative class", "the positive class"].map(Into::into).into()
            }
            Task::Multiclass { classes } => {
                classes.iter().map(|class| format!("class `{}`", clip(class))).collect()
            }
            Task::Continuous | Task::Count | Task::Ordinal { .. } => Vec::new(),
        };
        // Class numbers are small whole numbers.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let class = || decision.y.iter().map(|y| *y as u32).collect();
        let class = (!class_names.is_empty()).then(class);
        let pairs = gathered.duplicates.clone();
        let mut tied = Self { given, pairs, class, class_names, note: None };
        let largest = largest_component(&tied.ties(gathered));
        if gathered.others.is_some() && 2 * largest > n {
            tied.pairs.clear();
            tied.note = Some(format!(
                "{} of {} pairs hang together by shared texts, so that texts of one part stand in \
                 others too; a group column can say what belongs together",
                count(largest),
                count(n)
            ));
        }
        tied
    }

    fn ties<'a>(&'a self, gathered: &'a Gathered) -> Ties<'a> {
        Ties {
            given: &self.given,
            group: gathered.groups.as_ref().map(|groups| groups.of_row.as_slice()),
            pairs: &self.pairs,
            class: self.class.as_deref(),
            class_names: &self.class_names,
        }
    }

    /// The part of every kept row.
    fn split(&self, gathered: &Gathered, shares: &SplitOptions, seed: u64) -> Result<Vec<Split>> {
        split(&self.ties(gathered), shares, seed).map_err(|error| match error {
            Error::Data(message) => {
                Error::Data(format!("`{}`: {message}", gathered.files[0].path.display()))
            }
            other => other,
        })
    }
}

/// What was counted while reading, and the sizes of the parts.
fn counts(gathered: &Gathered, split: &[Split]) -> Counts {
    let (groups, straddling) = gathered.groups.as_ref().map_or((0, 0), |groups| {
        let mut parts = vec![0_u8; groups.n as usize];
        for (&group, &part) in groups.of_row.iter().zip(split) {
            parts[group as usize] |= 1 << part as u8;
        }
        (groups.n.into(), parts.iter().filter(|parts| parts.count_ones() > 1).count() as u64)
    });
    let mut counts = Counts { groups, straddling_groups: straddling, ..gathered.counts };
    counts.count_parts(split);
    counts
}

impl Counts {
    /// How many rows were left out for which reason, if any were.
    pub(super) fn left_out(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let reasons = [
            (self.empty_texts, "without a text"),
            (self.equal_sides, "with the same text on both sides"),
            (self.missing_targets, "without a target"),
            (self.dropped_targets, "with a target to be dropped"),
            (self.missing_values, "without a value of a control, weight or the like"),
            (self.weightless, "of weight 0"),
            (self.on_both_sides, "with a text that stands in an earlier file as well"),
        ];
        reasons.into_iter().filter(|(rows, _)| *rows > 0)
    }

    fn count_parts(&mut self, split: &[Split]) {
        let of = |part| split.iter().filter(|&&s| s == part).count() as u64;
        self.kept = split.len() as u64;
        self.discover = of(Split::Discover);
        self.validation = of(Split::Validation);
        self.heldout = of(Split::Heldout);
    }
}
