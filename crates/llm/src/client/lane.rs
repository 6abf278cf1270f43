//! What is known of one model on one server with one key: its limits, and what it can do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ClientOptions;
use super::job::Kind;
use crate::Result;
use crate::limits::{Known, Pacer};
use crate::server::Model;
use crate::store::Store;
use crate::wire::Dialect;

pub(super) struct Lane {
    pub pacer: Pacer,
    pub dialect: Dialect,
    /// Goes up with every change of the dialect.
    pub generation: u64,
    pub answers: u64,
    /// Kinds of questions that were answered in this dialect, in this process or an earlier one.
    pub known: BTreeSet<Kind>,
}

/// As it is written to the store.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    dialect: Option<Dialect>,
    limits: Vec<Known>,
    known: BTreeSet<Kind>,
}

/// A lane of its own per key, without the key being named.
pub(super) fn name(model: &Model) -> String {
    let key = model.server.key().map_or_else(String::new, |key| {
        blake3::hash(key.secret().as_bytes()).to_hex()[..12].to_owned()
    });
    format!("{} {} {key}", model.server.base(), model.name)
}

impl Lane {
    pub fn open(model: &Model, store: &Store, options: &ClientOptions, now: f64) -> Result<Self> {
        // What cannot be read is found out anew.
        let note = store.note(&note_name(model))?;
        let remembered: Remembered =
            note.and_then(|note| serde_json::from_str(&note).ok()).unwrap_or_default();
        Ok(Self {
            pacer: Pacer::new(options.limits, &remembered.limits, options.max_concurrent, now),
            dialect: remembered.dialect.unwrap_or_else(|| Dialect::for_server(&model.server)),
            generation: 0,
            answers: 0,
            known: remembered.known,
        })
    }

    pub fn remember(&self, model: &Model, store: &Store) -> Result<()> {
        if self.known.is_empty() {
            return Ok(());
        }
        let dialect = Some(self.dialect.clone());
        let (limits, known) = (self.pacer.known(), self.known.clone());
        let remembered = Remembered { dialect, limits, known };
        let text = serde_json::to_string(&remembered).expect("plain data");
        store.set_note(&note_name(model), &text)
    }
}

fn note_name(model: &Model) -> String {
    format!("lane {}", name(model))
}
