//! Where a model's files lie, as the hub's own programs lay them out.
//!
//! `models--OWNER--NAME` has `blobs`, the contents by checksum; `snapshots/COMMIT`, links to them under
//! their names; and `refs/REVISION`, the commit that a branch was at.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::digest::Digest;
use crate::listing::RemoteFile;
use crate::name::Model;
use crate::select::{self, INDEX, WEIGHTS};
use crate::{Error, Result, stored};

/// A model in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its files.
    pub folder: PathBuf,
    pub commit: String,
    /// Whether it is known that no file is missing. Without a list of the files or `modules.json`, the
    /// model could have parts that some other program did not need.
    pub is_whole: bool,
}

/// The model `name` at `revision` in the hub's cache, if it is there and not cut short. Nobody is asked.
///
/// # Errors
/// [`Error::Name`].
pub fn find(cache: &Path, name: &str, revision: &str) -> Result<Option<Found>> {
    let model = Model::new(name, revision)?;
    Ok(Layout::new(cache, &model).find())
}

/// The places of one model's files.
pub(crate) struct Layout {
    cache: PathBuf,
    model: Model,
}

impl Layout {
    pub fn new(cache: &Path, model: &Model) -> Self {
        Self { cache: cache.to_owned(), model: model.clone() }
    }

    fn name(&self) -> String {
        format!("models--{}", self.model.name.replace('/', "--"))
    }

    pub fn repository(&self) -> PathBuf {
        self.cache.join(self.name())
    }

    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.repository().join("snapshots").join(commit)
    }

    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.repository().join("blobs").join(digest.hex())
    }

    pub fn lock(&self, digest: &Digest) -> PathBuf {
        let folder = self.cache.join(".locks").join(self.name());
        folder.join(format!("{}.lock", digest.hex()))
    }

    fn reference(&self) -> PathBuf {
        self.repository().join("refs").join(&self.model.revision)
    }

    /// The commit that the revision was at when it was last asked for.
    fn known_commit(&self) -> Option<String> {
        if let Some(commit) = self.model.commit() {
            return Some(commit.to_owned());
        }
        let commit = fs::read_to_string(self.reference()).ok();
        let commit = commit.map_or_else(|| self.model.revision.clone(), |c| c.trim().to_owned());
        // It becomes a folder's name.
        commit.chars().all(|c| c.is_ascii_alphanumeric()).then_some(commit)
    }

    pub fn find(&self) -> Option<Found> {
        let commit = self.known_commit()?;
        let folder = self.snapshot(&commit);
        let is_whole = match stored::read(&self.repository(), &commit) {
            Some(files) => {
                let here = |file: &RemoteFile| has_size(&folder.join(&file.path), file.size);
                let wanted = select::wanted(&files);
                select::check(&self.model.name, &files, &wanted).ok()?;
                wanted.iter().all(here).then_some(true)
            }
            None => seems_whole(&folder),
        };
        Some(Found { folder, commit, is_whole: is_whole? })
    }

    /// Gives the blob of a file its name in the snapshot.
    pub fn link(&self, commit: &str, file: &RemoteFile) -> Result<()> {
        let (blob, place) = (self.blob(&file.digest), self.snapshot(commit).join(&file.path));
        let depth = file.path.split('/').count() + 1;
        let target = Path::new(&"../".repeat(depth)).join("blobs").join(file.digest.hex());
        if fs::read_link(&place).is_ok_and(|found| found == target) {
            return Ok(());
        }
        make_folder_of(&place)?;
        let beside = beside(&place);
        symlink(&target, &beside)
            .or_else(|_| fs::copy(&blob, &beside).map(|_| ()))
            .and_then(|()| fs::rename(&beside, &place))
            .map_err(|e| {
                let _ = fs::remove_file(&beside);
                Error::file("write", &place)(e)
            })
    }

    /// Notes the commit that the revision is at: the last step, so that what was broken off is not found.
    pub fn refer(&self, commit: &str) -> Result<()> {
        if self.model.revision == commit || self.known_commit().as_deref() == Some(commit) {
            return Ok(());
        }
        write_whole(&self.reference(), commit.as_bytes())
    }
}

#[cfg(unix)]
fn symlink(target: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(windows)]
fn symlink(target: &Path, place: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, place)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether there is such a file, of this length.
pub(crate) fn has_size(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == size)
}

pub(crate) fn make_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(Error::file("make", folder))
}

/// A name that no other program uses at the same time.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{:016x}.tmp", fastrand::u64(..)))
}

/// Writes a small file so that it is there whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    make_folder_of(path)?;
    let beside = beside(path);
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|e| {
        let _ = fs::remove_file(&beside);
        Error::file("write", path)(e)
    })
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

#[derive(Deserialize)]
struct Index {
    weight_map: std::collections::BTreeMap<String, String>,
}

/// Judges a folder that some other program filled: `None` if files that it names are missing, else
/// whether it can be told that none is.
fn seems_whole(folder: &Path) -> Option<bool> {
    let Ok(text) = fs::read(folder.join("modules.json")) else {
        return (folder.join("config.json").is_file() && can_run(folder)).then_some(false);
    };
    let modules: Vec<Module> = serde_json::from_slice(&text).ok()?;
    let is_here = |(i, module): (usize, &Module)| {
        let own = folder.join(&module.path);
        match module.class.rsplit('.').next() {
            _ if i == 0 => can_run(&own),
            Some("Normalize" | "Dropout") => true,
            Some("Dense") => own.join("config.json").is_file() && has_weights(&own),
            _ => own.join("config.json").is_file(),
        }
    };
    (!modules.is_empty() && modules.iter().enumerate().all(is_here)).then_some(true)
}

fn can_run(folder: &Path) -> bool {
    folder.join("tokenizer.json").is_file() && has_weights(folder)
}

fn has_weights(folder: &Path) -> bool {
    let all_parts = || {
        let index: Index = serde_json::from_slice(&fs::read(folder.join(INDEX)).ok()?).ok()?;
        Some(index.weight_map.values().all(|part| folder.join(part).is_file()))
    };
    folder.join(WEIGHTS).is_file() || all_parts().unwrap_or(false)
}
