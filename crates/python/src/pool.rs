//! The threads that compute.
//!
//! A fork takes none of its parent's threads along, so that a pool belongs to the process that made
//! it; a child makes its own at its first piece of work. Nothing here waits for a lock that
//! another thread may have held at the fork.

use std::process;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::work::Failure;

/// Something that is only fit for the process that made it.
pub struct Own<T> {
    process: u32,
    value: T,
}

/// Where such a thing is kept.
pub struct Keeper<T>(ArcSwapOption<Own<T>>);

impl<T> Keeper<T> {
    pub const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// This process's own, made if there is none yet.
    pub fn get<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<Own<T>>, E> {
        let kept = self.0.load_full();
        if let Some(own) = &kept
            && own.process == process::id()
        {
            return Ok(Arc::clone(own));
        }
        // A parent's threads and connections are not this process's to end.
        std::mem::forget(kept);
        let own = Arc::new(Own { process: process::id(), value: make()? });
        self.0.store(Some(Arc::clone(&own)));
        Ok(own)
    }
}

impl<T> std::ops::Deref for Own<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

static POOL: Keeper<ThreadPool> = Keeper::new();

/// Runs `work` on the threads of this process.
pub fn on_threads<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let make = || ThreadPoolBuilder::new().build().map_err(|e| Failure::Threads(e.to_string()));
    Ok(POOL.get(make)?.install(work))
}
