//! Where a stage writes its files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic::{self, Digest, Sink};
use crate::table::dictionary::{self, Entry};
use crate::table::{self, Table};
use crate::{Error, Result};

/// The files a stage has written so far, and what the data dictionary says of its tables.
pub struct Outputs {
    folder: PathBuf,
    pub(super) files: BTreeMap<String, Digest>,
    pub(super) dictionary: Vec<Entry>,
    pub(super) lacking: usize,
}

impl Outputs {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), files: BTreeMap::new(), dictionary: Vec::new(), lacking: 0 }
    }

    /// Says that `n` answers could not be had: the next run is to ask for them again.
    pub fn lacks(&mut self, n: usize) {
        self.lacking += n;
    }

    /// Writes the file of this path inside the run directory, whole or not at all.
    pub fn file(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Sink) -> io::Result<()>,
    ) -> Result<()> {
        let digest = atomic::write(&self.folder.join(name), fill)?;
        self.files.insert(name.into(), digest);
        Ok(())
    }

    /// Writes bytes.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.file(name, |out| out.write_all(bytes))
    }

    /// Writes a value as JSON.
    pub fn json(&mut self, name: &str, value: &impl serde::Serialize) -> Result<()> {
        self.file(name, |out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            out.write_all(b"\n")
        })
    }

    /// Writes `tables/NAME.csv` and its twin `tables/NAME.parquet`.
    pub fn table(&mut self, table: &Table) -> Result<()> {
        self.file(&format!("tables/{}.csv", table.name), |out| table::csv::write(table, out))?;
        self.parquet("tables", table)
    }

    /// Writes `data/NAME.parquet`, for tables with a row per text and more.
    pub fn long_table(&mut self, table: &Table) -> Result<()> {
        self.parquet("data", table)
    }

    fn parquet(&mut self, folder: &str, table: &Table) -> Result<()> {
        let name = format!("{folder}/{}.parquet", table.name);
        self.file(&name, |out| table::parquet::write(table, out).map_err(io::Error::other))?;
        self.dictionary.extend(dictionary::entries(table));
        Ok(())
    }
}

/// Reads a value written by [`Outputs::json`].
pub fn read_json<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> Result<T> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(Error::file("read", &path))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::file("read", &path)(e.into()))
}
