//! The run on disk.

use crate::base::{Error, Iter, StateMap};
use crate::checkpoint::{Copies, Kept, Retention, Saver, Variables};
use crate::folder::RunFolder;
use crate::run::Generators;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The run's folder and checkpoints.
#[derive(Default)]
pub struct Storage {
    /// The run's folder; without a folder no checkpoint is written.
    pub folder: Option<RunFolder>,
    /// What every checkpoint tells of the run: where its weights are from.
    pub(crate) notes: BTreeMap<String, String>,
    /// The iter of the newest checkpoint that is on the disk or on its way there, while it holds everything that has happened.
    pub(crate) saved_at: Option<Iter>,
    /// Where a restored checkpoint has left libtorch's generators, until the training goes on from there.
    pub(crate) resumed: Option<Generators>,
    /// Where the sinks stood before a validation that a signal has interrupted: a resumed run records it again.
    pub(crate) sinks_before_val: Option<Vec<(String, StateMap)>>,
    /// The weights that evaluations use, by model, for the checkpoint that is about to be made.
    pub(crate) published: Vec<(String, Variables)>,
    /// The checkpoint that `after_save_checkpoint` is about.
    pub(crate) saved: Option<SavedCheckpoint>,
    /// The iters of the regular checkpoints that are kept, oldest first, at most [`REGULAR`]. It is part of the state: what a
    /// killed process has not deleted yet is not among them.
    pub(crate) regular: Vec<Iter>,
    /// Writes checkpoints.
    pub(crate) saver: Saver,
    /// Copies what is written to another place.
    pub copies: Option<Box<dyn Copies>>,
    /// Which older checkpoints stay after the save that is under way.
    pub(crate) retention: Option<Retention>,
    /// A state in memory to which the run can go back.
    pub(crate) kept: Kept,
    /// How the checkpoint that is about to be made is to be written.
    pub(crate) saving: Saving,
    /// What becomes of an error of the save that is under way.
    pub(crate) on_error: OnSaveError,
    /// Why the newest state that was to be saved is not, and the run goes on all the same.
    pub(crate) unsaved: Option<Error>,
    /// The names and iters of checkpoints that could not be written, until the hook that asked for them has taken note of it.
    pub(crate) not_written: Vec<(String, Iter)>,
    /// What could not be deleted, and why: each is told once.
    pub(crate) not_deleted: BTreeSet<String>,
}

/// So many iters of regular checkpoints are remembered.
const REGULAR: usize = 8;

impl Storage {
    /// A regular checkpoint of this iter is about to be written.
    pub(crate) fn note_regular(&mut self, iter: Iter) {
        let keep = self.saving.retention.as_ref().map_or(REGULAR, |retention| retention.keep.clamp(1, REGULAR));
        self.regular.retain(|known| *known < iter);
        self.regular.push(iter);
        self.regular.drain(..self.regular.len().saturating_sub(keep));
    }
}

/// How a checkpoint is written. A hook says so in `before_save_checkpoint`, by
/// [`Context::saving`](crate::run::Context::saving).
#[derive(Clone, Debug, Default)]
pub struct Saving {
    /// Whether the training goes on while another thread writes. It takes memory of the host for a copy of the state.
    pub background: bool,
    /// What becomes of the run when it can't be written.
    pub on_error: OnSaveError,
    /// Which older checkpoints stay once this one is on the disk; `None`: all.
    pub retention: Option<Retention>,
}

/// What becomes of a run whose checkpoint can't be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnSaveError {
    /// It ends with the error.
    #[default]
    Stop,
    /// It is told, and the run goes on; when its last state is in no checkpoint, it ends with the error.
    Continue,
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
