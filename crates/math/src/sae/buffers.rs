//! Buffers that outlive the tasks that use them.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// As many buffers as tasks have ever run at once. A fresh one costs more than its allocation: it
/// is filled with zeros, page by page as the system hands them out.
#[derive(Debug, Default)]
pub(super) struct Buffers<T>(Mutex<Vec<T>>);

impl<T: Default> Buffers<T> {
    /// `task` with a buffer that nobody else has; it holds what an earlier task left there.
    pub fn with<R>(&self, task: impl FnOnce(&mut T) -> R) -> R {
        let mut buffer = self.idle().pop().unwrap_or_default();
        let result = task(&mut buffer);
        self.idle().push(buffer);
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
