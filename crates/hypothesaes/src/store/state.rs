//! `state.json`: which stages are finished, from what, and which files are theirs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Digest, Identity, Outputs, Stage, write_atomically};
use crate::table::dictionary::Entry;
use crate::{Error, Result};

pub(super) const FILE: &str = "state.json";

/// A finished stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub identity: Identity,
    pub files: BTreeMap<String, Digest>,
    pub dictionary: Vec<Entry>,
    pub seconds: f64,
    /// Answers that could not be had.
    #[serde(default)]
    pub lacking: usize,
}

impl Record {
    pub fn new(identity: Identity, outputs: Outputs, seconds: f64) -> Self {
        let Outputs { files, dictionary, lacking, .. } = outputs;
        Self { identity, files, dictionary, seconds, lacking }
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    stages: BTreeMap<Stage, Record>,
}

impl State {
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Error::file("read", path)(e)),
        };
        serde_json::from_slice(&bytes).map_err(|e| Error::Run {
            path: folder.into(),
            message: format!("`{FILE}` cannot be read ({e}): move the folder away and run again"),
        })
    }

    pub fn write(&self, folder: &Path) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self).expect("state is plain data");
        write_atomically(&folder.join(FILE), |out| out.write_all(&bytes)).map(drop)
    }

    pub fn record(&self, stage: Stage) -> Option<&Record> {
        self.stages.get(&stage)
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.stages.values()
    }

    pub fn before(&self, stage: Stage) -> impl Iterator<Item = &Record> {
        self.stages.range(..stage).map(|(_, record)| record)
    }

    pub fn insert(&mut self, stage: Stage, record: Record) {
        self.stages.insert(stage, record);
    }

    /// Takes out the records of `stage` and all later ones.
    pub fn split_off(&mut self, stage: Stage) -> Vec<Record> {
        self.stages.split_off(&stage).into_values().collect()
    }
}
