//! What the store holds, added up.

use std::io::Write;

use serde_json::json;

use super::{Kept, Store, failed, kept};
use crate::Result;
use crate::question::Usage;

/// The calls of a stage to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSums {
    pub stage: String,
    pub model: String,
    pub calls: u64,
    pub usage: Usage,
    /// `None` if the price of one of the calls is unknown.
    pub dollars: Option<f64>,
    pub seconds: f64,
}

/// Answers of a stage by a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub stage: String,
    pub model: String,
    pub answers: u64,
    pub bytes: u64,
}

impl Store {
    /// The ledger: of one run, or of all.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn sums(&self, run: Option<&str>) -> Result<Vec<CallSums>> {
        let connection = self.connection();
        let read = || -> rusqlite::Result<Vec<CallSums>> {
            let mut query = connection.prepare(
                "SELECT stage, model, COUNT(*), SUM(tokens_in), SUM(tokens_cached), \
                 SUM(tokens_out), CASE WHEN COUNT(dollars) = COUNT(*) THEN SUM(dollars) END, \
                 SUM(seconds) FROM calls WHERE ?1 IS NULL OR run = ?1 \
                 GROUP BY stage, model ORDER BY MIN(id)",
            )?;
            let rows = query.query_map([run], |row| {
                Ok(CallSums {
                    stage: row.get(0)?,
                    model: row.get(1)?,
                    calls: row.get(2)?,
                    usage: Usage { input: row.get(3)?, cached: row.get(4)?, output: row.get(5)? },
                    dollars: row.get(6)?,
                    seconds: row.get(7)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|e| self.failed("read", &e))
    }

    /// Writes every answer as a line of JSON: key, stage, model, seconds since 1970, and the answer
    /// (a text, or the entries of a vector). Returns how many there are.
    ///
    /// # Errors
    /// [`crate::Error::Store`], also if `out` cannot be written.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64> {
        let connection = self.connection();
        let mut n = 0;
        let mut write = || -> Result<(), Box<dyn std::error::Error>> {
            let mut query = connection.prepare(
                "SELECT lower(hex(key)), stage, model, at, value FROM answers ORDER BY at, key",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let (key, stage, model): (String, String, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                let at: u64 = row.get(3)?;
                let answer = match kept(row.get_ref(4)?) {
                    Some(Kept::Text(text)) => json!(text),
                    Some(Kept::Vector(vector)) => json!(vector),
                    None => continue,
                };
                let line = json!({"key": key, "stage": stage, "model": model, "at": at,
                    "answer": answer});
                writeln!(out, "{line}")?;
                n += 1;
            }
            Ok(())
        };
        write().map_err(|e| failed("export", self.path(), &*e))?;
        Ok(n)
    }

    /// What is kept, by stage and model.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn contents(&self) -> Result<Vec<Contents>> {
        let connection = self.connection();
        let read = || -> rusqlite::Result<Vec<Contents>> {
            let mut query = connection.prepare(
                "SELECT stage, model, COUNT(*), SUM(LENGTH(CAST(value AS BLOB))) FROM answers \
                 GROUP BY stage, model ORDER BY stage, model",
            )?;
            let rows = query.query_map([], |row| {
                let (stage, model) = (row.get(0)?, row.get(1)?);
                Ok(Contents { stage, model, answers: row.get(2)?, bytes: row.get(3)? })
            })?;
            rows.collect()
        };
        read().map_err(|e| self.failed("read", &e))
    }
}
