//! Uploading on another thread, while the training goes on.
//!
//! What is uploaded are hard links of the checkpoint's files, in a folder that counts as unfinished, and that belongs to one
//! upload alone. So a checkpoint that is deleted or replaced meanwhile is still uploaded whole, and a killed process leaves
//! nothing that the next one does not clean up.

use super::super::copies::Copies;
use super::super::write::{link_files, temporary};
use super::super::{CheckpointError, MirrorUrl, Retention};
use super::queue::{Job, Queue};
use super::{Mirror, MirrorError};
use crate::base::disk::DiskContext;
use crate::base::panics;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Uploads checkpoints one after the other.
pub struct Uploads {
    url: MirrorUrl,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

/// How many jobs this process has made: no two have the same folder.
static JOBS: AtomicU64 = AtomicU64::new(0);

impl Uploads {
    /// Uploads into the mirror of this run.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(url: &MirrorUrl, run: &str) -> Result<Uploads, CheckpointError> {
        let (to, run) = (url.clone(), run.to_owned());
        Uploads::by(url, move |job, begun| {
            // opened anew each time: credentials may have been renewed
            let mirror = Mirror::open(&to, &run)?;
            mirror.write(&job.folder, &job.name, &mut job.done)?;
            mirror.retain(&job.name, job.retention.as_ref(), begun)
        })
    }

    /// Uploads with this function. It gets a job, and the names of others that are partly uploaded.
    fn by(
        url: &MirrorUrl,
        upload: impl FnMut(&mut Job, &[String]) -> Result<(), MirrorError> + Send + 'static,
    ) -> Result<Uploads, CheckpointError> {
        let queue = Arc::new(Queue::default());
        let of_thread = queue.clone();
        let thread = std::thread::Builder::new().name("mirror".to_owned()).spawn(move || work(&of_thread, upload));
        let thread = thread.map_err(|source| CheckpointError::Thread { source })?;
        Ok(Uploads { url: url.clone(), queue, thread: Some(thread) })
    }
}

impl Copies for Uploads {
    fn begin(&mut self, checkpoint: &Path, retention: Option<&Retention>) {
        let (Some(dir), Some(name)) = (checkpoint.parent(), checkpoint.file_name()) else { return };
        if self.thread.is_none() {
            self.queue.tell("warning: nothing is copied to the mirror any more");
            return;
        }
        let name = name.to_string_lossy().into_owned();
        let number = JOBS.fetch_add(1, Ordering::Relaxed);
        let folder = temporary(dir, &format!("mirror-{number}-{name}"));
        let job = Job::new(name, folder, retention.cloned(), number);
        let made = std::fs::create_dir(&job.folder).while_trying("make", &job.folder);
        match made.map_err(CheckpointError::from).and_then(|()| link_files(checkpoint, &job.folder)) {
            Ok(()) => self.queue.add(job),
            Err(error) => self.queue.refused(&job, error),
        }
    }

    fn told(&mut self) -> Vec<String> {
        self.queue.told()
    }

    fn finish(&mut self) -> Result<(), CheckpointError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.queue.end();
        let ended = thread.join();
        match (ended, self.queue.missing()) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(missing)) => Err(CheckpointError::Mirror(format!(
                "the newest version of these checkpoints is not in the mirror {}; look for it in the run's folder on this disk: {missing}",
                self.url
            ))),
            (Err(_), _) => Err(CheckpointError::Mirror("the thread that copies checkpoints has panicked".to_owned())),
        }
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// The life of the thread.
fn work(queue: &Queue, mut upload: impl FnMut(&mut Job, &[String]) -> Result<(), MirrorError>) {
    while let Some((mut job, begun)) = queue.next() {
        match panics::catch("copying a checkpoint", || Ok(upload(&mut job, &begun))) {
            Ok(Ok(())) => queue.succeeded(&job),
            Ok(Err(error)) => queue.failed(job, error),
            Err(panicked) => queue.refused(&job, CheckpointError::State(panicked.to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
