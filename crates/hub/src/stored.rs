//! The list of a commit's files, kept in the cache: a commit never changes, so with it one knows whether
//! all of them are here without asking.
//!
//! The hub's own programs keep one too, and with it refuse a snapshot that lacks any file. Here only some
//! are needed, so that theirs is read and never written; ours lies beside it, in the same form.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::cache::write_whole;
use crate::digest::Digest;
use crate::listing::{Listing, RemoteFile};
use crate::name::is_plain;

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Tree {
    format_version: u32,
    files: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lfs_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lfs_size: Option<u64>,
}

fn own(repository: &Path, commit: &str) -> PathBuf {
    repository.join("trees").join(format!("{commit}.sentence-model.json"))
}

/// The files of `commit`, if a list of them is kept, ours or that of the hub's own programs.
pub(crate) fn read(repository: &Path, commit: &str) -> Option<Vec<RemoteFile>> {
    let theirs = repository.join("trees").join(format!("{commit}.json"));
    [own(repository, commit), theirs].iter().find_map(|path| {
        let tree: Tree = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let files = tree.files.into_iter().filter(|(path, _)| is_plain(path));
        (tree.format_version == VERSION).then(|| files.map(file).collect())?
    })
}

fn file((path, entry): (String, Entry)) -> Option<RemoteFile> {
    let (size, digest) = match entry.lfs_sha256 {
        Some(hex) => (entry.lfs_size.unwrap_or(entry.size), Digest::sha256(&hex)),
        None => (entry.size, Digest::git(&entry.blob_id?)),
    };
    Some(RemoteFile { path, size, digest: digest? })
}

pub(crate) fn write(repository: &Path, listing: &Listing) -> Result<()> {
    let entry = |file: &RemoteFile| {
        let entry = match &file.digest {
            Digest::Git(hex) => Entry {
                size: file.size,
                blob_id: Some(hex.clone()),
                lfs_sha256: None,
                lfs_size: None,
            },
            Digest::Sha256(hex) => Entry {
                size: file.size,
                blob_id: None,
                lfs_sha256: Some(hex.clone()),
                lfs_size: Some(file.size),
            },
        };
        (file.path.clone(), entry)
    };
    let tree = Tree { format_version: VERSION, files: listing.files.iter().map(entry).collect() };
    let text = serde_json::to_vec_pretty(&tree).unwrap_or_default();
    write_whole(&own(repository, &listing.commit), &text)
}
