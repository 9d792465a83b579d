//! The files in a run's folder, and what they say about the run.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The resolved experiment, in a run's folder.
pub(crate) const EXPERIMENT: &str = crate::config::SAVED;
/// The folder of the checkpoints.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// The folder of the dumps.
pub(super) const DUMPS: &str = "dumps";
/// What `predict` writes.
pub(crate) const PREDICTIONS: &str = "predictions.jsonl";
/// The text log.
pub(crate) const LOG: &str = "log.txt";
/// The rows, one JSON object a line.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// What the training is going to do.
pub(crate) const PLAN: &str = "plan.json";

/// The text log of a process of several: `log.txt` of rank 0, `log.rank3.txt` of rank 3.
pub(super) fn log_of(folder: &Path, rank: usize) -> PathBuf {
    match rank {
        0 => folder.join(LOG),
        _ => folder.join(format!("log.rank{rank}.txt")),
    }
}

/// Whether anything of a run was written: a folder with only a lock in it belongs to a run that never began.
pub(super) fn holds_run(path: &Path) -> bool {
    let begun = |name: &str| path.join(name).symlink_metadata().is_ok();
    begun(EXPERIMENT) || begun(LOG) || begun(METRICS) || holds_work(path)
}

/// Whether a run has come to anything that a second one must not touch: a row, or a checkpoint, whole or not. What can't
/// be looked into counts as such.
pub(super) fn holds_work(path: &Path) -> bool {
    let absent = |error: &std::io::Error| error.kind() == ErrorKind::NotFound;
    let rows = match path.join(METRICS).symlink_metadata() {
        Ok(file) => !file.is_file() || file.len() > 0,
        Err(error) => !absent(&error),
    };
    let saved = || match std::fs::read_dir(path.join(CHECKPOINTS)) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => !absent(&error),
    };
    rows || saved()
}
