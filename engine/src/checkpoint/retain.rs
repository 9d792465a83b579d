//! Which checkpoints stay, and what a killed process left behind.

use super::names::{BEING_DELETED, BEING_REPLACED, BEING_WRITTEN, DAMAGED, LATEST, iter_of_name};
use super::{CheckpointError, read};
use crate::base::disk::{DiskContext, sync_folder};
use std::io;
use std::path::{Path, PathBuf};

/// Deletes all but the newest `keep` of the checkpoints that are named by their iter; gives back which.
///
/// Those in `protected` stay, and so does any with another name: its owner deletes it. Each is renamed before it
/// is deleted, so that a kill leaves no half checkpoint that looks whole.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot, Weights};
/// use tch::Tensor;
///
/// let snapshot = |iter| {
///     let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     Snapshot { meta, models: vec![Weights::new("net", weights)], state: StateMap::new(), ranks: vec![StateMap::new()] }
/// };
/// let dir = tempfile::tempdir()?;
/// for iter in [10, 20, 30] {
///     checkpoint::save(dir.path(), &[checkpoint::iter_name(Iter(iter))], &snapshot(iter))?;
/// }
/// checkpoint::save(dir.path(), &["best_val_loss"], &snapshot(20))?; // has no iter in its name, and stays
/// let removed = checkpoint::retain(dir.path(), 1, &["iter_000000010"])?;
/// assert_eq!(removed, [dir.path().join("iter_000000020")]);
/// assert_eq!(checkpoint::list(dir.path())?.len(), 3);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When a file operation fails; the others are then still there.
pub fn retain(dir: &Path, keep: usize, protected: &[impl AsRef<str>]) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut removed = Vec::new();
    let mut by_iter = read::list(dir)?;
    by_iter.retain(|path| iter_of_name(&name_of(path)).is_some());
    for path in by_iter.into_iter().skip(keep) {
        let name = name_of(&path);
        if protected.iter().any(|protected| protected.as_ref() == name) {
            continue;
        }
        let aside = dir.join(format!("{BEING_DELETED}{name}"));
        remove(&aside)?;
        std::fs::rename(&path, &aside).while_trying("delete", &path)?;
        sync_folder(dir)?;
        remove(&aside)?;
        removed.push(path);
    }
    Ok(removed)
}

/// Puts checkpoints back that were moved out of the way by a process that was killed before their replacement came. To
/// be called before checkpoints are looked for, when no other process writes here.
///
/// # Errors
/// When a file operation fails.
pub fn put_back(dir: &Path) -> Result<(), CheckpointError> {
    for path in entries(dir)? {
        if let Some(replaced) = name_of(&path).strip_prefix(BEING_REPLACED)
            && dir.join(replaced).symlink_metadata().is_err()
        {
            std::fs::rename(&path, dir.join(replaced)).while_trying("put back", &path)?;
            sync_folder(dir)?;
        }
    }
    Ok(())
}

/// Takes away what a killed process left: folders half written, half deleted, or replaced by a newer one; gives back
/// which. To be called after [`put_back`], when no other process writes here.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let half = dir.path().join(".tmp-4711-iter_000000010"); // of a process that was killed
/// std::fs::create_dir(&half)?;
/// assert_eq!(engine::checkpoint::clean(dir.path())?, [half]);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When a file operation fails.
pub fn clean(dir: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut removed = Vec::new();
    for path in entries(dir)? {
        let name = name_of(&path);
        let left = [BEING_WRITTEN, BEING_REPLACED, BEING_DELETED].iter().any(|prefix| name.starts_with(prefix));
        if left || name.starts_with(&format!(".{LATEST}{BEING_WRITTEN}")) {
            remove(&path)?;
            removed.push(path);
        }
    }
    if !removed.is_empty() {
        sync_folder(dir)?;
    }
    Ok(removed)
}

/// Gives a checkpoint that can't be read a name of its own, `damaged-NAME`, under which it is neither looked at nor
/// counted any more, and nothing deletes it; gives back its path.
///
/// # Errors
/// When a file operation fails.
pub fn set_aside(checkpoint: &Path) -> Result<PathBuf, CheckpointError> {
    let name = format!("{DAMAGED}{}", name_of(checkpoint));
    let further = (2u64..).map(|number| format!("{name}.{number}"));
    let names = std::iter::once(name.clone()).chain(further);
    let free = names.map(|name| checkpoint.with_file_name(name)).find(|path| path.symlink_metadata().is_err());
    let aside = free.unwrap_or_else(|| checkpoint.with_file_name(name));
    std::fs::rename(checkpoint, &aside).while_trying("set aside", checkpoint)?;
    sync_folder(checkpoint.parent().unwrap_or(Path::new(".")))?;
    Ok(aside)
}

/// What is in a folder; nothing when there is none.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.while_trying("read", dir)?,
    };
    let paths = entries.map(|entry| Ok(entry.while_trying("read", dir)?.path()));
    paths.collect::<Result<_, CheckpointError>>()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Removes a file or folder that may not be there.
fn remove(path: &Path) -> Result<(), CheckpointError> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(Err(error).while_trying("delete", path)?),
        _ => Ok(()),
    }
}
