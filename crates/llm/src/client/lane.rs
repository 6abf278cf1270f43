//! What is known of one model on one server with one key: its limits, and what it can do.

use serde::{Deserialize, Serialize};

use super::ClientOptions;
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
    /// Whether it was found out earlier what the server can do.
    pub is_known: bool,
}

/// As it is written to the store.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    dialect: Option<Dialect>,
    limits: Vec<Known>,
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
        let is_known = remembered.dialect.is_some();
        Ok(Self {
            pacer: Pacer::new(options.limits, &remembered.limits, options.max_concurrent, now),
            dialect: remembered.dialect.unwrap_or_else(|| Dialect::for_server(&model.server)),
            generation: 0,
            answers: 0,
            is_known,
        })
    }

    pub fn remember(&self, model: &Model, store: &Store) -> Result<()> {
        if self.answers == 0 {
            return Ok(());
        }
        let dialect = Some(self.dialect.clone());
        let remembered = Remembered { dialect, limits: self.pacer.known() };
        let text = serde_json::to_string(&remembered).expect("plain data");
        store.set_note(&note_name(model), &text)
    }
}

fn note_name(model: &Model) -> String {
    format!("lane {}", name(model))
}
