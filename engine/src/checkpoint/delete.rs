//! Deleting one checkpoint because somebody asks for it.

use super::CheckpointError;
use super::names::LATEST;
use super::read::{latest_in, list};
use super::retain::{hide, remove};
use super::write::set_latest;
use crate::base::disk::{parent, sync_folder};
use std::path::Path;

/// Deletes a checkpoint. It is renamed first, so that a kill leaves no half checkpoint that looks whole; `latest` then
/// tells the newest one that is left.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot};
///
/// let dir = tempfile::tempdir()?;
/// for iter in [10, 20] {
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     let snapshot = Snapshot { meta, models: vec![], state: StateMap::new(), ranks: vec![StateMap::new()] };
///     checkpoint::save(dir.path(), &[checkpoint::iter_name(Iter(iter))], &snapshot)?;
/// }
/// checkpoint::delete(&dir.path().join("iter_000000020"))?;
/// assert_eq!(std::fs::read_to_string(dir.path().join("latest"))?, "iter_000000010\n");
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When a file operation fails.
pub fn delete(path: &Path) -> Result<(), CheckpointError> {
    let dir = parent(path);
    let aside = hide(path)?;
    sync_folder(dir)?;
    remove(&aside)?;
    let was_latest = latest_in(&dir.join(LATEST)).is_some_and(|latest| path.file_name() == Some(latest.as_ref()));
    match list(dir)?.first() {
        Some(newest) if was_latest => set_latest(dir, newest),
        _ => Ok(()),
    }
}
