//! The files in a run's folder, and what they say about the run.

use super::lock::LOCK;
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

/// Files of a run, a sweep or a checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// `run`, `sweep` or `checkpoint`.
    pub(crate) what: &'static str,
    /// Its folder.
    pub(crate) folder: PathBuf,
}

/// What a file belongs to, whether it is there or will be; `None` where a command may write what its user wants. Links in the
/// path are resolved.
pub(crate) fn owner(file: &Path) -> Option<Owner> {
    file.ancestors().skip(1).find_map(|folder| {
        let first = file.strip_prefix(folder).ok()?.components().next()?.as_os_str().to_str()?;
        let holds = |name: &str| folder.join(name).is_file();
        let what = match () {
            () if holds("manifest") && holds("run/state.ron") => "checkpoint",
            () if is_of_run(first) && holds_run(folder) => "run",
            () if OF_SWEEP.contains(&first) && OF_SWEEP.iter().all(|name| holds(name)) => "sweep",
            () => return None,
        };
        Some(Owner { what, folder: folder.to_owned() })
    })
}

/// What a sweep keeps in its folder.
const OF_SWEEP: [&str; 2] = ["sweep.ron", "trials.jsonl"];

/// Whether a run writes files or folders of this name into its folder: itself, or through its sinks. `predict` writes
/// [`PREDICTIONS`] anew each time.
fn is_of_run(name: &str) -> bool {
    let of_rank = name.strip_prefix("log.rank").is_some_and(|rest| rest.ends_with(".txt"));
    let all = [EXPERIMENT, METRICS, LOG, PLAN, LOCK, CHECKPOINTS, DUMPS, "profile", "tensorboard", "mlflow.json"];
    of_rank || all.contains(&name)
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
