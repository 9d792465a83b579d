//! The run on disk.

use crate::base::{Iter, StateMap};
use crate::checkpoint::Variables;
use crate::folder::RunFolder;
use crate::run::Generators;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The run's folder and checkpoints.
#[derive(Default)]
pub struct Storage {
    /// The run's folder; without a folder no checkpoint is written.
    pub folder: Option<RunFolder>,
    /// What every checkpoint tells of the run: where its weights are from.
    pub(crate) notes: BTreeMap<String, String>,
    /// The iter of the newest checkpoint, while that checkpoint holds everything that has happened.
    pub(crate) saved_at: Option<Iter>,
    /// Where a restored checkpoint has left libtorch's generators, until the training goes on from there.
    pub(crate) resumed: Option<Generators>,
    /// Where the sinks stood before a validation that a signal has interrupted: a resumed run records it again.
    pub(crate) sinks_before_val: Option<Vec<(String, StateMap)>>,
    /// The weights that evaluations use, by model, for the checkpoint that is about to be made.
    pub(crate) published: Vec<(String, Variables)>,
    /// The checkpoint that `after_save_checkpoint` is about.
    pub(crate) saved: Option<SavedCheckpoint>,
}

/// A checkpoint that is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCheckpoint {
    /// Its name, `iter_000000123` or `best_val_accuracy`.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// The iter of its state. The training may have continued since then.
    pub iter: Iter,
}
