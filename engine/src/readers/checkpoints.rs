//! The checkpoints of a run, by what they say of themselves; no weights are read.

use super::place::is_folder;
use crate::checkpoint::{self, Checkpoint};
use crate::folder::CHECKPOINTS;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A saved state, under all names that it is kept by.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedState {
    /// The names of its folders: `iter_000000460`, `best_val_accuracy`.
    pub names: Vec<String>,
    /// Finished epochs.
    pub epoch: u64,
    /// Finished iters.
    pub iter: u64,
    /// The size of its files, in bytes.
    pub bytes: u64,
    /// What was measured, under full names.
    pub metrics: Vec<(String, f64)>,
    /// Why it can't be used; `None` where all files have their sizes. Hashes are not compared.
    pub damage: Option<String>,
}

/// More than a run keeps.
const MOST: usize = 500;

/// The checkpoints in a run's folder, newest first. Links are left out.
pub fn checkpoints(folder: &Path) -> Vec<SavedState> {
    let folder = folder.join(CHECKPOINTS);
    let paths = if is_folder(&folder) { checkpoint::list(&folder).unwrap_or_default() } else { Vec::new() };
    let mut found: Vec<(Option<(u64, u64)>, SavedState)> = Vec::new();
    for path in paths.iter().filter(|path| is_folder(path)).take(MOST) {
        let id = path.join("manifest").symlink_metadata().ok().map(|found| (found.dev(), found.ino()));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match found.iter_mut().find(|(known, _)| known.is_some() && *known == id) {
            Some((_, state)) => state.names.push(name),
            None => found.push((id, read(path, name))),
        }
    }
    found.into_iter().map(|(_, state)| state).collect()
}

fn read(path: &Path, name: String) -> SavedState {
    let mut state = SavedState { names: vec![name], epoch: 0, iter: 0, bytes: 0, metrics: Vec::new(), damage: None };
    let told = Checkpoint::open(path).and_then(|checkpoint| {
        state.bytes = checkpoint.bytes();
        let meta = checkpoint.meta()?;
        (state.epoch, state.iter) = (meta.epoch.get(), meta.iter.get());
        state.metrics = checkpoint.measured()?.metrics.into_iter().collect();
        checkpoint.check_sizes()
    });
    state.damage = told.err().map(|error| format!("{:#}", crate::base::Error::from(error)));
    state
}
