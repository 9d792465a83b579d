//! Which checkpoints stay, and what a killed process left behind.

use super::names::{BEING_DELETED, BEING_REPLACED, BEING_WRITTEN, DAMAGED, LATEST, LEFT, iter_of_name};
use super::{CheckpointError, read};
use crate::base::disk::{DiskContext, sync_folder};
use crate::base::temporary;
use std::io;
use std::path::{Path, PathBuf};

/// What was deleted, and what could not be.
#[derive(Debug, Default)]
#[must_use = "what could not be deleted takes space on the disk, and is to be told"]
pub struct Deleted {
    /// What is gone.
    pub deleted: Vec<PathBuf>,
    /// Why each of the others is still there. To be told, and no reason to end a training.
    pub failed: Vec<CheckpointError>,
}

impl Deleted {
    fn note(&mut self, path: PathBuf, done: Result<(), CheckpointError>) {
        match done {
            Ok(()) => self.deleted.push(path),
            Err(error) => self.failed.push(error),
        }
    }
}

/// Which checkpoints stay when a new one is on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How many of those that are named by their iter: the newest.
    pub keep: usize,
    /// The names of others that stay.
    pub protected: Vec<String>,
}

/// Deletes all but the newest `keep` of the checkpoints that are named by their iter.
///
/// Those in `protected` stay, and so does any with another name: its owner deletes it. Each is renamed before it
/// is deleted, so that a kill leaves no half checkpoint that looks whole. One that can't be deleted keeps no other one.
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
/// let found = checkpoint::retain(dir.path(), 1, &["iter_000000010"])?;
/// assert_eq!(found.deleted, [dir.path().join("iter_000000020")]);
/// assert_eq!(checkpoint::list(dir.path())?.len(), 3);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the folder can't be read.
pub fn retain(dir: &Path, keep: usize, protected: &[impl AsRef<str>]) -> Result<Deleted, CheckpointError> {
    let mut found = Deleted::default();
    let mut by_iter = read::list(dir)?;
    by_iter.retain(|path| iter_of_name(&name_of(path)).is_some());
    for path in by_iter.into_iter().skip(keep) {
        let name = name_of(&path);
        if protected.iter().any(|protected| protected.as_ref() == name) {
            continue;
        }
        let done = hide(&path).and_then(|aside| {
            sync_folder(dir)?;
            remove(&aside)
        });
        found.note(path, done);
    }
    Ok(found)
}

/// Gives a checkpoint a name of those that are being deleted; gives back its path.
pub(super) fn hide(path: &Path) -> Result<PathBuf, CheckpointError> {
    let name = format!("{BEING_DELETED}{}", name_of(path).trim_start_matches('.'));
    let aside = free_beside(path, &name);
    std::fs::rename(path, &aside).while_trying("delete", path)?;
    Ok(aside)
}

/// Lets nothing lie at a path: deletes what does, or else gives it a name under which the next start tries it again.
pub(super) fn make_way(path: &Path) -> Result<(), CheckpointError> {
    remove(path).or_else(|_| hide(path).map(drop))
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

/// Takes away what a killed process left: folders half written, half deleted, or replaced by a newer one. To be called
/// after [`put_back`], when no other process writes here.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let half = dir.path().join(".tmp-4711-iter_000000010"); // of a process that was killed
/// std::fs::create_dir(&half)?;
/// assert_eq!(engine::checkpoint::clean(dir.path())?.deleted, [half]);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the folder can't be read.
pub fn clean(dir: &Path) -> Result<Deleted, CheckpointError> {
    let mut found = Deleted::default();
    for path in entries(dir)? {
        let name = name_of(&path);
        if [BEING_WRITTEN, BEING_REPLACED, BEING_DELETED].iter().any(|prefix| name.starts_with(prefix)) {
            let done = remove(&path);
            found.note(path, done);
        }
    }
    found.deleted.extend(temporary::clean(dir, Some(LATEST)));
    if !found.deleted.is_empty() {
        sync_folder(dir)?;
    }
    Ok(found)
}

/// Gives a checkpoint that can't be read a name of its own, `damaged-NAME`, under which it is neither looked at nor
/// counted any more, and nothing deletes it; gives back its path.
///
/// # Errors
/// When a file operation fails.
pub fn set_aside(checkpoint: &Path) -> Result<PathBuf, CheckpointError> {
    aside(checkpoint, DAMAGED)
}

/// Gives a checkpoint that the run has left behind, for it goes on from an older one, a name of its own, `left-NAME`. As
/// with [`set_aside`], it is neither looked at nor counted any more, and nothing deletes it.
///
/// # Errors
/// When a file operation fails.
pub fn leave_behind(checkpoint: &Path) -> Result<PathBuf, CheckpointError> {
    aside(checkpoint, LEFT)
}

fn aside(checkpoint: &Path, prefix: &str) -> Result<PathBuf, CheckpointError> {
    let name = format!("{prefix}{}", name_of(checkpoint));
    let aside = free_beside(checkpoint, &name);
    std::fs::rename(checkpoint, &aside).while_trying("set aside", checkpoint)?;
    sync_folder(checkpoint.parent().unwrap_or(Path::new(".")))?;
    Ok(aside)
}

/// The first of `NAME`, `NAME.2`, `NAME.3`, … that is not there, in the folder of a path.
fn free_beside(path: &Path, name: &str) -> PathBuf {
    let further = (2u64..).map(|number| format!("{name}.{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(further).map(|name| path.with_file_name(name));
    names.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| path.with_file_name(name))
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

/// Removes a file or folder that may not be there; of a link the link alone.
pub(super) fn remove(path: &Path) -> Result<(), CheckpointError> {
    let removed = if path.symlink_metadata().is_ok_and(|there| there.is_dir()) {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(Err(error).while_trying("delete", path)?),
        _ => Ok(()),
    }
}
