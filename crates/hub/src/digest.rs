//! Checksums as the hub names them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use crate::name::is_hash;
use crate::watch::Watch;
use crate::{Error, Result};

/// What a file's content is known by, and its name among the blobs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Digest {
    /// Of large files.
    Sha256(String),
    /// Of files that git itself keeps: the SHA-1 of its blob.
    Git(String),
}

const BLOCK: usize = 1 << 20;

impl Digest {
    pub fn sha256(hex: &str) -> Option<Self> {
        is_hash(hex, 64).then(|| Self::Sha256(hex.to_owned()))
    }

    pub fn git(hex: &str) -> Option<Self> {
        is_hash(hex, 40).then(|| Self::Git(hex.to_owned()))
    }

    pub fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::Git(hex) => hex,
        }
    }

    /// What it would have to be for the file at `path`, as it lies on the disk.
    pub fn of(&self, path: &Path, watch: &mut Watch) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::file("read", path))?;
        let length = file.metadata().map_err(Error::file("read", path))?.len();
        let mut context = match self {
            Self::Sha256(_) => Context::new(&SHA256),
            Self::Git(_) => {
                let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
                context.update(format!("blob {length}\0").as_bytes());
                context
            }
        };
        let mut block = vec![0; BLOCK];
        loop {
            watch.ask()?;
            match file.read(&mut block).map_err(Error::file("read", path))? {
                0 => break,
                n => context.update(&block[..n]),
            }
        }
        let hex = hex(context.finish().as_ref());
        Ok(match self {
            Self::Sha256(_) => Self::Sha256(hex),
            Self::Git(_) => Self::Git(hex),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    #[test]
    fn they_are_those_of_git_and_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "hello\n").unwrap();
        let mut go_on = |_: crate::Progress<'_>| ControlFlow::Continue(());
        let mut watch = Watch::new(&mut go_on);
        let git = Digest::git("ce013625030ba8dba906f756967f9e9ca394464a").unwrap();
        assert_eq!(git.of(&path, &mut watch).unwrap(), git);
        let sha = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let sha = Digest::sha256(sha).unwrap();
        assert_eq!(sha.of(&path, &mut watch).unwrap(), sha);
    }

    #[test]
    fn no_path_is_a_checksum() {
        assert_eq!(Digest::git("../../../../../../../../../../etc/passwd"), None);
        assert_eq!(Digest::sha256("ce013625030ba8dba906f756967f9e9ca394464a"), None);
    }
}
