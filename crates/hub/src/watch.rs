//! What the caller is told while it waits, and how it stops the work.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    pub step: Step,
    /// The file's path in the model, empty if it is of no file.
    pub file: &'a str,
    /// Bytes of all files that are here.
    pub done: u64,
    /// Bytes of all files; 0 until the hub has told them.
    pub total: u64,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The hub is asked which files there are.
    Asking,
    /// Another program downloads the same file.
    Waiting,
    /// Bytes come.
    Receiving,
    /// The checksum is computed.
    Checking,
    /// A connection was broken; it is tried again in a while.
    Pausing,
}

/// How long the caller waits at most to be asked whether to go on, though nothing comes.
const TICK: Duration = Duration::from_millis(100);

pub(crate) struct Watch<'a> {
    each: &'a mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    pub step: Step,
    pub file: String,
    pub done: u64,
    pub total: u64,
}

impl<'a> Watch<'a> {
    pub fn new(each: &'a mut dyn FnMut(Progress<'_>) -> ControlFlow<()>) -> Self {
        Self { each, step: Step::Asking, file: String::new(), done: 0, total: 0 }
    }

    /// Whether to go on.
    pub fn ask(&mut self) -> Result<()> {
        let Self { step, done, total, .. } = *self;
        match (self.each)(Progress { step, file: &self.file, done, total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Interrupted),
        }
    }

    /// What the work comes to, or `None` if it takes longer than `limit`.
    pub async fn within<T>(
        &mut self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>> {
        let mut work = pin!(work);
        let start = Instant::now();
        loop {
            self.ask()?;
            let left = limit.saturating_sub(start.elapsed());
            if let Ok(result) = tokio::time::timeout(TICK.min(left), &mut work).await {
                return Ok(Some(result));
            }
            if start.elapsed() >= limit {
                return Ok(None);
            }
        }
    }

    pub async fn pause(&mut self, length: Duration) -> Result<()> {
        self.within(length, std::future::pending::<()>()).await.map(|_| ())
    }
}
