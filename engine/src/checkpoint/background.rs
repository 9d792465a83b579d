//! Saving on a thread of its own: the training waits until its state is copied, and not for the disk.
//!
//! There is one save under way at most. What it gives back comes at a time that depends on the disk; who asks for it
//! decides when it is looked at.

use super::host::{HostCopy, HostMemory};
use super::retain::{Deleted, Retention, retain};
use super::write::{prepare, write};
use super::{CheckpointError, Snapshot};
use crate::base::panics;
use crate::base::units::Iter;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// Saves snapshots, in the background where it is asked to. Dropped, it waits for what is under way.
#[derive(Debug, Default)]
pub struct Saver {
    memory: HostMemory,
    under_way: Option<UnderWay>,
}

/// What is to be written, and which older checkpoints then go.
#[derive(Debug)]
pub struct Job {
    /// The folder of the checkpoints.
    pub dir: PathBuf,
    /// The names of the checkpoint, at least one; see [`save`](super::save).
    pub names: Vec<String>,
    /// Which checkpoints stay once this one is on the disk; `None`: all.
    pub retention: Option<Retention>,
}

/// A save that has come to its end.
#[derive(Debug)]
pub struct Saved {
    /// The names that were asked for.
    pub names: Vec<String>,
    /// The iter whose state was saved.
    pub iter: Iter,
    /// Where the checkpoint is, by each name; or why it is not there.
    pub written: Result<Vec<PathBuf>, CheckpointError>,
    /// Why checkpoints that were to go are still there.
    pub not_deleted: Vec<CheckpointError>,
}

#[derive(Debug)]
struct UnderWay {
    names: Vec<String>,
    iter: Iter,
    thread: JoinHandle<(Saved, HostCopy)>,
}

impl Saver {
    /// Copies the snapshot's tensors into memory of the host, and writes the copy on another thread. The memory is that of
    /// the whole state once more; it is kept for the next save.
    ///
    /// # Errors
    /// When a name is unfit, the folder can't be made, a tensor can't be copied, or there is a save under way already.
    /// What goes wrong later is in [`Saved`].
    pub fn begin(&mut self, job: Job, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        if self.under_way.is_some() {
            return Err(CheckpointError::State("another save is under way".to_owned()));
        }
        prepare(&job.dir, &job.names, snapshot)?;
        let copy = self.memory.copy(snapshot)?;
        let (names, iter) = (job.names.clone(), snapshot.meta.iter);
        let work = move || {
            let saved = run(job, &copy.snapshot);
            (saved, copy)
        };
        let thread = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(work);
        let thread = thread.map_err(|source| CheckpointError::Thread { source })?;
        self.under_way = Some(UnderWay { names, iter, thread });
        Ok(())
    }

    /// Writes the snapshot now, without a copy of it.
    ///
    /// # Errors
    /// As [`Saver::begin`].
    pub fn save(&mut self, job: Job, snapshot: &Snapshot) -> Result<Saved, CheckpointError> {
        prepare(&job.dir, &job.names, snapshot)?;
        Ok(run(job, snapshot))
    }

    /// Whether a save is under way that has not come to its end yet, or was not asked for since.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// What is being written: the first name.
    pub fn under_way(&self) -> Option<&str> {
        self.under_way.as_ref().and_then(|save| save.names.first()).map(String::as_str)
    }

    /// The save that was under way, when it has come to its end. Waits for nothing.
    pub fn finished(&mut self) -> Option<Saved> {
        match &self.under_way {
            Some(save) if save.thread.is_finished() => self.wait(),
            _ => None,
        }
    }

    /// The save that was under way, at its end; `None` when there was none.
    pub fn wait(&mut self) -> Option<Saved> {
        let UnderWay { names, iter, thread } = self.under_way.take()?;
        Some(match thread.join() {
            Ok((saved, copy)) => {
                self.memory.keep(copy);
                saved
            }
            // `run` makes errors of panics, so this is none that it can have
            Err(_) => {
                let written = Err(CheckpointError::State("the thread that writes it has panicked".to_owned()));
                Saved { names, iter, written, not_deleted: Vec::new() }
            }
        })
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        // a process that ends would cut it off
        self.wait();
    }
}

/// Writes a checkpoint, then deletes those that are not to stay.
fn run(Job { dir, names, retention }: Job, snapshot: &Snapshot) -> Saved {
    let written = panics::catch("the writing of a checkpoint", || Ok(write(&dir, &names, snapshot)));
    let written = written.unwrap_or_else(|panicked| Err(CheckpointError::State(panicked.to_string())));
    let not_deleted = match (&written, retention) {
        (Ok(paths), Some(retention)) => gone(&dir, retention, paths),
        _ => Vec::new(),
    };
    Saved { names, iter: snapshot.meta.iter, written, not_deleted }
}

/// Deletes what is not to stay; gives back why some of it still does. The new checkpoint is safe, so that is no failure.
fn gone(dir: &Path, retention: Retention, new: &[PathBuf]) -> Vec<CheckpointError> {
    let Retention { keep, mut protected } = retention;
    // also beside folders that only seem to be of later iters
    protected.extend(new.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())));
    match retain(dir, keep, &protected) {
        Ok(Deleted { failed, .. }) => failed,
        Err(error) => vec![error],
    }
}
