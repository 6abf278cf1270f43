//! The whole way from files to a [`Dataset`]: read, decide, split, and say what was done.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::choose::Chosen;
use super::gather::Gathered;
use super::input::Input;
use super::names::count;
use super::notes::Told;
use super::source::{Meter, Source};
use super::split::{Ties, split};
use super::target::{Decision, Wish};
use super::{DataOptions, Dataset, Dropped, Split, SplitOptions, Task, notes};
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
    let wish = Wish {
        file: &options.path,
        column: &chosen.0[1].name,
        positive: options.positive.as_deref(),
        task: options.task,
    };
    let decision = gathered.targets.decide(wish)?;
    let split = split_rows(&inputs, &gathered, &decision, shares, seed)?;
    let mut counts = counts(&gathered, &split);
    let hashes = inputs.iter().zip(&files).map(|((part, _), file)| (*part, file.hash.as_str()));
    let content_hash = combined(hashes);
    let mut notes = notes::lines(&Told {
        inputs: &inputs,
        chosen: &chosen,
        gathered: &gathered,
        counts: &counts,
        target: decision.note,
        shares,
        seed,
    });
    watch.end(&format!("{} texts", count(gathered.row_id.len())));
    let mut dataset = Dataset {
        texts: gathered.texts,
        y: decision.y,
        task: decision.task,
        target: chosen.0[1].name.clone(),
        split,
        group: gathered.groups.map(|groups| groups.of_row),
        row_id: gathered.row_id,
    };
    if let Some(n) = options.sample.filter(|n| *n < dataset.split.len()) {
        notes.push(format!("a random sample of {n} of {} rows", dataset.split.len()));
        dataset = sample(&dataset, n, seed);
        counts.count_parts(&dataset.split);
    }
    Ok(Loaded { dataset, dropped: gathered.dropped, counts, notes, files, content_hash })
}

/// `n` rows at random, each in its part.
fn sample(data: &Dataset, n: usize, seed: u64) -> Dataset {
    let mut rows = permutation(data.split.len(), &mut stream(seed, "sample"));
    rows.truncate(n);
    rows.sort_unstable();
    Dataset {
        texts: data.texts.gather(&rows),
        y: rows.iter().map(|&i| data.y[i]).collect(),
        task: data.task.clone(),
        target: data.target.clone(),
        split: rows.iter().map(|&i| data.split[i]).collect(),
        group: data.group.as_ref().map(|group| rows.iter().map(|&i| group[i]).collect()),
        row_id: rows.iter().map(|&i| data.row_id[i]).collect(),
    }
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

/// The part of every kept row.
fn split_rows(
    inputs: &Inputs,
    gathered: &Gathered,
    decision: &Decision,
    shares: &SplitOptions,
    seed: u64,
) -> Result<Vec<Split>> {
    let mut given = Vec::with_capacity(gathered.row_id.len());
    for ((part, _), extent) in inputs.iter().zip(&gathered.files) {
        given.resize(extent.kept_end, *part);
    }
    let binary = decision.task != Task::Continuous;
    let ties = Ties {
        given: &given,
        group: gathered.groups.as_ref().map(|groups| groups.of_row.as_slice()),
        pairs: &gathered.duplicates,
        class: binary.then_some(decision.y.as_slice()),
    };
    split(&ties, shares, seed).map_err(|error| match error {
        Error::Data(message) => {
            Error::Data(format!("`{}`: {message}", gathered.files[0].path.display()))
        }
        other => other,
    })
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
    fn count_parts(&mut self, split: &[Split]) {
        let of = |part| split.iter().filter(|&&s| s == part).count() as u64;
        self.kept = split.len() as u64;
        self.discover = of(Split::Discover);
        self.validation = of(Split::Validation);
        self.heldout = of(Split::Heldout);
    }
}
