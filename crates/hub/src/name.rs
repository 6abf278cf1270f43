//! Names of models, revisions and files, which become addresses and paths: all are checked first.

use crate::{Error, Result};

/// A model at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    /// `owner/name`, or `name` as the oldest models have it.
    pub name: String,
    pub revision: String,
}

const MOST_NAME: usize = 96;

impl Model {
    pub fn new(name: &str, revision: &str) -> Result<Self> {
        let refuse = |kind, given: &str, why| {
            Err(Error::Name { kind, given: given.chars().take(200).collect(), why })
        };
        let parts: Vec<&str> = name.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) || name.len() > MOST_NAME {
            let why = "it is written `owner/name`, in letters, digits, `-`, `_` and `.`";
            return refuse("model", name, why);
        }
        let known = |c: char| c.is_ascii_alphanumeric() || "-_.+=/".contains(c);
        if revision.len() > 200 || !revision.chars().all(known) || !is_plain(revision) {
            return refuse("revision", revision, "it is a branch, a tag or a commit's hash");
        }
        Ok(Self { name: name.to_owned(), revision: revision.to_owned() })
    }

    /// The commit that the revision names by itself, and for good.
    pub fn commit(&self) -> Option<&str> {
        is_hash(&self.revision, 40).then_some(&self.revision)
    }
}

/// The hub's own rule. Without `--` a folder's name belongs to one model only.
fn is_name(part: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edges = ['-', '.'];
    !part.is_empty()
        && part.chars().all(known)
        && !part.contains("--")
        && !part.contains("..")
        && !part.starts_with(edges)
        && !part.ends_with(edges)
}

/// Whether a path leads down from where it starts, on every system.
pub(crate) fn is_plain(path: &str) -> bool {
    let odd = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    let name =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.ends_with(['.', ' ']);
    !path.contains(odd) && path.split('/').all(name)
}

/// Whether it is a hash of so many digits, as git writes them.
pub(crate) fn is_hash(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["gpt2", "BAAI/bge-small-en-v1.5", "a_b/c.d"] {
            assert!(Model::new(name, "main").is_ok(), "{name}");
        }
        for name in [
            "", "/", "a/", "/b", "a/b/c", "..", "../a", "a/..", "a--b", "a\\b", "a b", "a/.b",
            "é/b", "a@b", "a%2fb",
        ] {
            assert!(Model::new(name, "main").is_err(), "{name}");
        }
    }

    #[test]
    fn revisions_that_lead_elsewhere_are_refused() {
        for revision in ["main", "refs/pr/1", "v1.0", "abc123"] {
            assert!(Model::new("a/b", revision).is_ok(), "{revision}");
        }
        for revision in ["", "..", "../x", "a/../b", "/etc", "a//b", "a\\b", "a b", "a\n", "C:x"] {
            assert!(Model::new("a/b", revision).is_err(), "{revision}");
        }
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(Model::new("a/b", commit).unwrap().commit(), Some(commit));
        assert_eq!(Model::new("a/b", &commit.to_uppercase()).unwrap().commit(), None);
    }

    #[test]
    fn paths_lead_down() {
        assert!(is_plain("1_Pooling/config.json"));
        for path in ["../x", "a/../x", "/x", "a//x", "./x", "a\\x", "c:x", "x\0", "a/", "x."] {
            assert!(!is_plain(path), "{path:?}");
        }
    }
}
