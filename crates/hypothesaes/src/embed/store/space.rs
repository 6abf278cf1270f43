//! What determines a vector: the space says everything but the text, the key is the text.

use std::path::{Path, PathBuf};

use half::f16;
use serde::{Deserialize, Serialize};

use crate::store::write_atomically;
use crate::{Error, Result};

/// Says in words what a folder of segments holds.
const ABOUT: &str = "space.json";

/// Most numbers in a vector: one batch of a segment has to hold several.
const MOST_DIM: usize = 1 << 20;

/// How a number is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    #[default]
    F32,
    /// Half the size, 11 significant bits; no more than 65,504 in absolute value.
    F16,
}

impl Element {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// To the numbers that come back from a store.
    pub fn round(self, vector: &mut [f32]) {
        if self == Self::F16 {
            for v in vector {
                *v = f16::from_f32(*v).to_f32();
            }
        }
    }
}

/// Everything but the text that determines a vector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Space {
    /// Names model, revision, prefix, length and whatever else matters.
    pub embedder: String,
    /// Numbers in a vector.
    pub dim: usize,
    pub element: Element,
}

impl Space {
    /// # Errors
    /// [`Error::Option`] if vectors of this length cannot be kept.
    pub(super) fn check(&self) -> Result<()> {
        if (1..=MOST_DIM).contains(&self.dim) {
            return Ok(());
        }
        Err(Error::option("dim", self.dim, format!("a vector has 1 to {MOST_DIM} numbers")))
    }

    /// As it stands in every segment. Its hash names a folder: the order of the fields counts.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The folder of its segments within the store.
    pub(super) fn folder(&self, store: &Path) -> PathBuf {
        let hash = blake3::hash(self.json().as_bytes()).to_hex();
        store.join(&hash.as_str()[..32])
    }

    /// Makes its folder and says there in words what it is.
    pub(super) fn settle(&self, store: &Path) -> Result<PathBuf> {
        let folder = self.folder(store);
        if Self::read(&folder).as_ref() != Some(self) {
            let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
            write_atomically(&folder.join(ABOUT), |out| out.write_all(text.as_bytes()))?;
        }
        Ok(folder)
    }

    /// What [`Self::settle`] wrote; `None` if it is not there or damaged.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(folder.join(ABOUT)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The file whose time says when the space was last opened.
    pub(super) fn about(folder: &Path) -> PathBuf {
        folder.join(ABOUT)
    }

    /// Notes that it is used; a store that may only be read goes without.
    pub(super) fn touch(folder: &Path) {
        if let Ok(file) = std::fs::File::options().append(true).open(folder.join(ABOUT)) {
            let _ = file.set_modified(std::time::SystemTime::now());
        }
    }
}

/// Names a text: the first 16 bytes of its BLAKE3 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 16]);

impl Key {
    pub fn of(text: &str) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
        Self(key)
    }
}
