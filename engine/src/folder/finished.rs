//! A run that is there already.

use super::content::{self, CHECKPOINTS, EXPERIMENT, LOG, METRICS};
use std::path::{Path, PathBuf};

/// The files of a run that is there already, for a command that evaluates one of its checkpoints. Nothing is locked: what
/// is written goes behind what other processes write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedRun {
    path: PathBuf,
}

impl FinishedRun {
    /// The run that contains a checkpoint's folder; `None` when it is not in a run.
    pub fn of_checkpoint(checkpoint: &Path) -> Option<FinishedRun> {
        let checkpoints = checkpoint.canonicalize().ok()?.parent()?.to_owned();
        let path = checkpoints.parent()?.to_owned();
        let is_run = checkpoints.file_name()? == CHECKPOINTS && path.join(EXPERIMENT).is_file();
        is_run.then_some(FinishedRun { path })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved experiment.
    pub fn experiment(&self) -> PathBuf {
        self.path.join(EXPERIMENT)
    }

    /// The text log.
    pub fn log(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// The text log of a process of several: `log.txt` of rank 0, `log.rank3.txt` of rank 3.
    pub fn log_of(&self, rank: usize) -> PathBuf {
        content::log_of(&self.path, rank)
    }

    /// The rows, one JSON object a line.
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }
}
