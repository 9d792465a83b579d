//! Whether another process works in the folder of a trial.

use crate::folder::LOCK;
use std::fs::{File, TryLockError};
use std::path::Path;

/// Whether a process works in the folder of a run.
pub(super) fn is_held(run: &Path) -> bool {
    let Ok(lock) = File::open(run.join(LOCK)) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Who works in the folder of a run.
pub(super) fn holder(run: &Path) -> String {
    let id = std::fs::read_to_string(run.join(LOCK)).ok().and_then(|id| id.trim().parse::<u32>().ok());
    id.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"))
}
