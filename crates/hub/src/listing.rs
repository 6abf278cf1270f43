//! What the hub says a model consists of.

use serde::Deserialize;

use crate::digest::Digest;
use crate::name::{is_hash, is_plain};

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    /// Below the model's folder; checked to lead down.
    pub path: String,
    pub size: u64,
    pub digest: Digest,
}

/// The files of a model at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub commit: String,
    pub files: Vec<RemoteFile>,
}

#[derive(Deserialize)]
struct Answer {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Large>,
}

#[derive(Deserialize)]
struct Large {
    sha256: String,
    size: u64,
}

impl Listing {
    /// Reads `/api/models/NAME/revision/REVISION?blobs=true`; the error says what is wrong with it.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|e| format!("it sent no list of a model's files ({e})"))?;
        if !is_hash(&answer.sha, 40) {
            return Err("it named a commit that is none".into());
        }
        let mut files = Vec::with_capacity(answer.siblings.len());
        for sibling in answer.siblings {
            files.extend(file(sibling)?);
        }
        Ok(Self { commit: answer.sha, files })
    }
}

/// `None` for names that git allows and some systems do not; no file of use is called so.
fn file(sibling: Sibling) -> Result<Option<RemoteFile>, String> {
    let path = sibling.rfilename;
    if path.starts_with('/') || path.split(['/', '\\']).any(|part| part == "..") {
        return Err(format!(
            "it listed `{}`, a path out of the model's folder",
            path.escape_debug()
        ));
    }
    if !is_plain(&path) {
        return Ok(None);
    }
    let (size, digest) = match sibling.lfs {
        Some(large) => (Some(large.size), Digest::sha256(&large.sha256)),
        None => (sibling.size, sibling.blob_id.as_deref().and_then(Digest::git)),
    };
    match (size, digest) {
        (Some(size), Some(digest)) => Ok(Some(RemoteFile { path, size, digest })),
        _ => Err(format!("it told no size or no checksum of `{path}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "ce013625030ba8dba906f756967f9e9ca394464a";
    const SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    fn read(sibling: &str) -> Result<Listing, String> {
        let body = format!(r#"{{"sha": "{SHA1}", "id": "a/b", "siblings": [{sibling}]}}"#);
        Listing::read(body.as_bytes())
    }

    #[test]
    fn small_files_are_known_by_gits_hash_and_large_ones_by_their_own() {
        let small = format!(r#"{{"rfilename": "a", "size": 6, "blobId": "{SHA1}"}}"#);
        let large = format!(
            r#"{{"rfilename": "b", "size": 6, "blobId": "{SHA1}",
            "lfs": {{"sha256": "{SHA256}", "size": 6, "pointerSize": 134}}}}"#
        );
        let files = read(&format!("{small}, {large}")).unwrap().files;
        assert_eq!(files[0].digest, Digest::Git(SHA1.into()));
        assert_eq!(files[1].digest, Digest::Sha256(SHA256.into()));
    }

    #[test]
    fn what_cannot_be_checked_or_leads_out_is_no_list() {
        for sibling in [
            r#"{"rfilename": "a"}"#.to_owned(),
            r#"{"rfilename": "a", "size": 6, "blobId": "../../x"}"#.to_owned(),
            format!(r#"{{"rfilename": "a", "blobId": "{SHA1}"}}"#),
            format!(r#"{{"rfilename": "../a", "size": 6, "blobId": "{SHA1}"}}"#),
            format!(r#"{{"rfilename": "/a", "size": 6, "blobId": "{SHA1}"}}"#),
            format!(r#"{{"rfilename": "a\\..\\b", "size": 6, "blobId": "{SHA1}"}}"#),
        ] {
            assert!(read(&sibling).is_err(), "{sibling}");
        }
        let odd = format!(r#"{{"rfilename": "a:b", "size": 6, "blobId": "{SHA1}"}}"#);
        assert!(read(&odd).unwrap().files.is_empty());
        assert!(Listing::read(b"<html>").is_err());
        assert!(Listing::read(br#"{"sha": "../..", "siblings": []}"#).is_err());
    }
}
