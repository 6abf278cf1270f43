//! Batch jobs: which questions a server holds, and the replies that have been fetched but not yet
//! been used.

use rusqlite::{OptionalExtension, params};

use super::{Store, now};
use crate::Result;

/// A job that has not been fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBatch {
    pub id: i64,
    /// Seconds since it was written down.
    pub age: u64,
    /// Address of the questions, such as `responses`.
    pub path: String,
    /// The server's name for the file of questions.
    pub file: String,
    /// The server's name for the job; not there if the program was stopped before it knew it.
    pub name: Option<String>,
}

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No job holds it.
    New,
    /// The job with this [`OpenBatch::id`] does.
    Sent(i64),
    /// Its reply has been fetched.
    Arrived,
}

impl Store {
    /// Writes down that a job with these questions is about to be made of `file`; `None` if
    /// another process was faster with one of them.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn begin_batch(
        &self,
        server: &str,
        model: &str,
        (path, file): (&str, &str),
        items: &[&str],
    ) -> Result<Option<i64>> {
        let connection = self.connection();
        let write = || -> rusqlite::Result<Option<i64>> {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute(
                "INSERT INTO batches (at, server, model, path, file) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![now(), server, model, path, file],
            )?;
            let id = transaction.last_insert_rowid();
            let mut insert = transaction
                .prepare("INSERT OR IGNORE INTO batch_items (item, batch) VALUES (?1, ?2)")?;
            for item in items {
                if insert.execute(params![item, id])? == 0 {
                    return Ok(None);
                }
            }
            drop(insert);
            transaction.commit()?;
            Ok(Some(id))
        };
        write().map_err(|e| self.failed("keep", &e))
    }

    /// The server's name for the job.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn name_batch(&self, id: i64, name: &str) -> Result<()> {
        self.connection()
            .execute("UPDATE batches SET name = ?2 WHERE id = ?1", params![id, name])
            .map(|_| ())
            .map_err(|e| self.failed("keep", &e))
    }

    /// The job, if it has not been fetched meanwhile.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn open_batch(&self, id: i64) -> Result<Option<OpenBatch>> {
        self.connection()
            .query_row("SELECT at, path, file, name FROM batches WHERE id = ?1", [id], |row| {
                let age = now().saturating_sub(row.get(0)?);
                let (path, file, name) = (row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(OpenBatch { id, age, path, file, name })
            })
            .optional()
            .map_err(|e| self.failed("read", &e))
    }

    /// Jobs that have not been fetched: server, model, and how many questions they hold.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn open_batches(&self) -> Result<Vec<(String, String, u64)>> {
        let connection = self.connection();
        let read = || -> rusqlite::Result<Vec<(String, String, u64)>> {
            let mut query = connection.prepare(
                "SELECT server, model, COUNT(*) FROM batches JOIN batch_items ON batch = id \
                 GROUP BY id ORDER BY id",
            )?;
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        };
        read().map_err(|e| self.failed("read", &e))
    }

    /// Whether any question has been sent in a job and its reply not been used.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn has_batched(&self) -> Result<bool> {
        self.connection()
            .query_row("SELECT EXISTS (SELECT 1 FROM batch_items)", [], |row| row.get(0))
            .map_err(|e| self.failed("read", &e))
    }

    /// Where each of these questions stands.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn standing(&self, items: &[&str]) -> Result<Vec<Standing>> {
        let connection = self.connection();
        let read = || -> rusqlite::Result<Vec<Standing>> {
            let mut one = connection.prepare_cached(
                "SELECT CASE WHEN status IS NULL THEN batch END FROM batch_items WHERE item = ?1",
            )?;
            let mut get =
                |item: &&str| one.query_row([item], |row| row.get::<_, Option<i64>>(0)).optional();
            let standing = |found| match found {
                None => Standing::New,
                Some(Some(batch)) => Standing::Sent(batch),
                Some(None) => Standing::Arrived,
            };
            items.iter().map(|item| Ok(standing(get(item)?))).collect()
        };
        read().map_err(|e| self.failed("read", &e))
    }

    /// Status and body of a reply that was fetched.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn reply_of(&self, item: &str) -> Result<Option<(u16, Vec<u8>)>> {
        self.connection()
            .query_row(
                "SELECT status, reply FROM batch_items WHERE item = ?1 AND status IS NOT NULL",
                [item],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|e| self.failed("read", &e))
    }

    /// Writes the replies of a job that ended, all or nothing. A question without one has the
    /// status 0 and `rest` for a body.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn end_batch(&self, id: i64, replies: &[(String, u16, &[u8])], rest: &str) -> Result<()> {
        let connection = self.connection();
        let write = || -> rusqlite::Result<()> {
            let transaction = connection.unchecked_transaction()?;
            let mut update = transaction.prepare(
                "UPDATE batch_items SET status = ?3, reply = ?4 \
                 WHERE item = ?1 AND batch = ?2 AND status IS NULL",
            )?;
            for (item, status, body) in replies {
                update.execute(params![item, id, status, body])?;
            }
            drop(update);
            transaction.execute(
                "UPDATE batch_items SET status = 0, reply = CAST(?2 AS BLOB) \
                 WHERE batch = ?1 AND status IS NULL",
                params![id, rest],
            )?;
            transaction.execute("DELETE FROM batches WHERE id = ?1", [id])?;
            transaction.commit()
        };
        write().map_err(|e| self.failed("keep", &e))
    }

    /// Forgets a job that the server did not take: its questions are new again.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn forget_batch(&self, id: i64) -> Result<()> {
        let connection = self.connection();
        let write = || -> rusqlite::Result<()> {
            let transaction = connection.unchecked_transaction()?;
            transaction
                .execute("DELETE FROM batch_items WHERE batch = ?1 AND status IS NULL", [id])?;
            transaction.execute("DELETE FROM batches WHERE id = ?1", [id])?;
            transaction.commit()
        };
        write().map_err(|e| self.failed("keep", &e))
    }

    /// The reply has been used, and was no answer.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub fn drop_item(&self, item: &str) -> Result<()> {
        self.connection()
            .execute("DELETE FROM batch_items WHERE item = ?1", [item])
            .map(|_| ())
            .map_err(|e| self.failed("keep", &e))
    }
}
