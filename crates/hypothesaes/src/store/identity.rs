//! What determines a stage's result: its version, the content of its input, the options that
//! matter to it. Equal identities give equal bytes; a difference is told in words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Named parts, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity(Vec<(String, String)>);

impl Identity {
    /// The identity of a stage whose code has this version.
    pub fn version(version: u32) -> Self {
        Self::default().with("version", version)
    }

    /// With one more part.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl std::fmt::Display) -> Self {
        self.0.push((name.into(), format!("{value}")));
        self
    }

    /// With every field of an options struct, named `section.field`.
    #[must_use]
    pub fn with_options(mut self, section: &str, options: &impl Serialize) -> Self {
        let value = serde_json::to_value(options).expect("options are plain data");
        let Value::Object(fields) = value else { return self.with(section, value) };
        for (name, value) in fields {
            self = self.with(format!("{section}.{name}"), value);
        }
        self
    }

    /// One hash of all parts.
    pub fn hash(&self) -> String {
        let parts = serde_json::to_vec(self).expect("names and values are plain text");
        blake3::hash(&parts).to_hex().to_string()
    }

    /// Why a result with identity `old` does not stand for `self`; `None` if it does.
    pub fn differs_from(&self, old: &Self) -> Option<String> {
        let find =
            |all: &Self, name: &str| all.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        for (name, value) in &self.0 {
            match find(old, name) {
                Some(before) if before == *value => {}
                Some(before) => return Some(change(name, &before, value)),
                None => return Some(format!("{name} is new")),
            }
        }
        let gone = old.0.iter().find(|(name, _)| find(self, name).is_none());
        gone.map(|(name, _)| format!("{name} is gone"))
    }
}

/// Hashes of inputs say nothing to a reader; option values do.
fn change(name: &str, before: &str, now: &str) -> String {
    if name.contains('.') || name == "seed" || name == "version" {
        format!("{name} {before} -> {now}")
    } else {
        format!("{name} changed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct O {
        k: usize,
        n: Option<usize>,
    }

    #[test]
    fn names_what_changed() {
        let identity = |version, input: &str, k| {
            Identity::version(version).with("texts", input).with_options("sae", &O { k, n: None })
        };
        let old = identity(1, "abc", 8);
        for (new, why) in [
            (identity(1, "abc", 8), None),
            (identity(1, "abc", 4), Some("sae.k 8 -> 4")),
            (identity(1, "abd", 4), Some("texts changed")),
            (identity(2, "abd", 4), Some("version 1 -> 2")),
            (identity(1, "abc", 8).with("x", 1), Some("x is new")),
        ] {
            assert_eq!(new.differs_from(&old).as_deref(), why);
        }
        assert_eq!(old.differs_from(&old.clone().with("x", 1)).as_deref(), Some("x is gone"));
    }
}
