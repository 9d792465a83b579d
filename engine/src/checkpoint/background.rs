//! Saving on another thread: the training waits until its state is copied, but not for the disk.
//!
//! Only one save runs at a time. When it ends depends on the disk; the caller decides when to look at its result.

use super::host::{HostCopy, HostMemory};
use super::retain::{Deleted, Retention, retain};
use super::write::{prepare, write};
use super::{CheckpointError, Snapshot};
use crate::base::panics;
use crate::base::spans::{self, SpanKind};
use crate::base::units::Iter;
use crate::native::PendingCopies;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Saves snapshots, on another thread if this is requested. When it is dropped, it waits for the current save.
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

/// The result of a save.
#[derive(Debug)]
pub struct Saved {
    /// The names that were asked for.
    pub names: Vec<String>,
    /// The iter whose state was saved.
    pub iter: Iter,
    /// Where the checkpoint is, by each name; or why it is not there.
    pub written: Result<Vec<PathBuf>, CheckpointError>,
    /// Why old checkpoints could not be deleted.
    pub not_deleted: Vec<CheckpointError>,
}

#[derive(Debug)]
struct UnderWay {
    names: Vec<String>,
    iter: Iter,
    thread: JoinHandle<(Saved, HostCopy)>,
}

impl Saver {
    /// Copies the snapshot's tensors into host memory, and writes the copy on another thread. The copy needs as much memory
    /// as the whole state; it is kept for the next save.
    ///
    /// # Errors
    /// When a name is invalid, the folder can't be made, a tensor can't be copied, or another save is running. Later
    /// errors are in [`Saved`].
    pub fn begin(&mut self, job: Job, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        self.begin_by(job, snapshot, HostMemory::copy).map(drop)
    }

    /// The same, without waiting for the copies of a CUDA device. What this thread computes there from now on comes after the
    /// copies of all tensors but the states of optimizers ([`Snapshot::OPTIMIZERS`]). Before those change, what is given back
    /// has to be held, if it is anything.
    ///
    /// # Errors
    /// As [`Saver::begin`].
    pub(crate) fn begin_beside(
        &mut self,
        job: Job,
        snapshot: &Snapshot,
    ) -> Result<Option<Arc<dyn PendingCopies>>, CheckpointError> {
        self.begin_by(job, snapshot, HostMemory::copy_beside)
    }

    fn begin_by(
        &mut self,
        job: Job,
        snapshot: &Snapshot,
        copied: impl FnOnce(&mut HostMemory, &Snapshot) -> Result<HostCopy, CheckpointError>,
    ) -> Result<Option<Arc<dyn PendingCopies>>, CheckpointError> {
        if self.under_way.is_some() {
            return Err(CheckpointError::State("another save is under way".to_owned()));
        }
        prepare(&job.dir, &job.names, snapshot)?;
        let span = spans::span(SpanKind::Checkpoint, "copy");
        let copy = copied(&mut self.memory, snapshot)?;
        let reading = copy.reading();
        drop(span);
        let (names, iter) = (job.names.clone(), snapshot.meta.iter);
        let work = move || {
            let saved = match copy.wait() {
                Ok(()) => run(job, &copy.snapshot),
                Err(error) => Saved {
                    names: job.names,
                    iter: copy.snapshot.meta.iter,
                    written: Err(error),
                    not_deleted: Vec::new(),
                },
            };
            (saved, copy)
        };
        let thread = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(work);
        let thread = thread.map_err(|source| CheckpointError::Thread { source })?;
        self.under_way = Some(UnderWay { names, iter, thread });
        Ok(reading)
    }

    /// Writes the snapshot now, without a copy of it.
    ///
    /// # Errors
    /// As [`Saver::begin`].
    pub fn save(&mut self, job: Job, snapshot: &Snapshot) -> Result<Saved, CheckpointError> {
        prepare(&job.dir, &job.names, snapshot)?;
        Ok(run(job, snapshot))
    }

    /// Whether there is a save whose result was not taken yet.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// The first name of the checkpoint that is being written.
    pub fn under_way(&self) -> Option<&str> {
        self.under_way.as_ref().and_then(|save| save.names.first()).map(String::as_str)
    }

    /// The result of the current save if it has ended. Does not wait.
    pub fn finished(&mut self) -> Option<Saved> {
        match &self.under_way {
            Some(save) if save.thread.is_finished() => self.wait(),
            _ => None,
        }
    }

    /// Waits for the current save; `None` when there is none.
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
        // the end of the process would kill the thread
        self.wait();
    }
}

/// Writes a checkpoint, then deletes old ones.
fn run(Job { dir, names, retention }: Job, snapshot: &Snapshot) -> Saved {
    let _span = spans::span(SpanKind::Checkpoint, "write");
    let written = panics::catch("the writing of a checkpoint", || Ok(write(&dir, &names, snapshot)));
    let written = written.unwrap_or_else(|panicked| Err(CheckpointError::State(panicked.to_string())));
    let not_deleted = match (&written, retention) {
        (Ok(paths), Some(retention)) => gone(&dir, retention, paths),
        _ => Vec::new(),
    };
    Saved { names, iter: snapshot.meta.iter, written, not_deleted }
}

/// Deletes old checkpoints; returns why some of them could not be deleted. The new one is safe, so the save has not failed.
fn gone(dir: &Path, retention: Retention, new: &[PathBuf]) -> Vec<CheckpointError> {
    let Retention { keep, mut protected } = retention;
    // also beside folders that only seem to be of later iters
    protected.extend(new.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())));
    match retain(dir, keep, &protected) {
        Ok(Deleted { failed, .. }) => failed,
        Err(error) => vec![error],
    }
}
