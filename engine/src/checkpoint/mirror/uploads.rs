//! Uploading on another thread, while the training goes on.
//!
//! What is uploaded are hard links of the checkpoint's files, in a folder that counts as unfinished. So a checkpoint that is
//! deleted meanwhile is still uploaded whole, and a killed process leaves nothing that the next one does not clean up.

use super::super::copies::Copies;
use super::super::names::iter_of_name;
use super::super::retain::remove;
use super::super::write::{link_files, temporary};
use super::super::{CheckpointError, MirrorUrl, Retention};
use super::{Mirror, MirrorError};
use crate::base::disk::DiskContext;
use crate::base::panics;
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the end of a run waits for a storage that can't be reached.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Uploads checkpoints one after the other.
pub struct Uploads {
    mirror: Arc<Target>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Where it goes. The mirror is opened anew after a failure: credentials may have been renewed.
struct Target {
    url: MirrorUrl,
    run: String,
}

/// What both threads know.
#[derive(Default)]
struct Shared {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    waiting: VecDeque<Job>,
    /// Whether one is being uploaded.
    busy: bool,
    /// Until when the end of the run waits.
    until: Option<Instant>,
    told: Vec<String>,
    /// What could not be uploaded at all.
    failed: Option<String>,
}

/// One checkpoint to upload.
struct Job {
    name: String,
    /// Links of its files.
    folder: PathBuf,
    retention: Option<Retention>,
    done: BTreeSet<String>,
}

impl Drop for Job {
    fn drop(&mut self) {
        // best effort: what is left is cleaned at the next start
        let _ = remove(&self.folder);
    }
}

impl Uploads {
    /// Uploads into the mirror of this run.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(url: &MirrorUrl, run: &str) -> Result<Uploads, CheckpointError> {
        let mirror = Arc::new(Target { url: url.clone(), run: run.to_owned() });
        let shared = Arc::new(Shared::default());
        let (target, of_thread) = (mirror.clone(), shared.clone());
        let thread = std::thread::Builder::new().name("mirror".to_owned()).spawn(move || work(&target, &of_thread));
        let thread = thread.map_err(|source| CheckpointError::Thread { source })?;
        Ok(Uploads { mirror, shared, thread: Some(thread) })
    }
}

impl Copies for Uploads {
    fn begin(&mut self, checkpoint: &Path, retention: Option<&Retention>) {
        let (Some(dir), Some(name)) = (checkpoint.parent(), checkpoint.file_name()) else { return };
        let name = name.to_string_lossy().into_owned();
        let mut now = self.shared.lock();
        // a newer one takes the place of an older one that waits
        let kind = |name: &str| iter_of_name(name).map_or_else(|| name.to_owned(), |_| String::new());
        now.waiting.retain(|job| kind(&job.name) != kind(&name));
        now.told.extend(self.thread.is_none().then(|| "warning: nothing is copied to the mirror any more".to_owned()));
        let folder = temporary(dir, &format!("mirror-{name}"));
        let linked = remove(&folder)
            .and_then(|()| Ok(std::fs::create_dir(&folder).while_trying("make", &folder)?))
            .and_then(|()| link_files(checkpoint, &folder));
        let job = Job { name, folder, retention: retention.cloned(), done: BTreeSet::new() };
        match linked {
            Ok(()) => now.waiting.push_back(job),
            Err(error) => {
                now.told.push(format!(
                    "warning: the checkpoint `{}` is not copied to {}: {error}",
                    job.name, self.mirror.url
                ));
                now.failed = Some(error.to_string());
            }
        }
        self.shared.changed.notify_all();
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().told)
    }

    fn finish(&mut self) -> Result<(), CheckpointError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.shared.lock().until = Some(Instant::now() + PATIENCE);
        self.shared.changed.notify_all();
        let ended = thread.join();
        let failed = self.shared.lock().failed.take();
        match (ended, failed) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(why)) => Err(CheckpointError::Mirror(format!(
                "the newest checkpoint is on this disk, but not in the mirror {}: {why}",
                self.mirror.url
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one to upload; `None` once the run has ended and nothing is left.
    fn next(&self) -> Option<Job> {
        let mut now = self.lock();
        loop {
            now.busy = false;
            if let Some(job) = now.waiting.pop_front() {
                now.busy = true;
                return Some(job);
            }
            if now.until.is_some() {
                return None;
            }
            now = self.changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits before another try. False when there is to be none: the run ends, or a newer checkpoint is there.
    fn pause(&self, pause: Duration, job: &Job, helps: bool) -> bool {
        let begun = Instant::now();
        let mut now = self.lock();
        loop {
            let is_newer = |other: &Job| iter_of_name(&other.name).is_some() == iter_of_name(&job.name).is_some();
            if now.waiting.iter().any(is_newer) {
                return false;
            }
            // at the end of a run one more try is made where it may help
            let pause = if now.until.is_some() { pause.min(Duration::from_secs(1)) } else { pause };
            if now.until.is_some_and(|until| !helps || Instant::now() >= until) {
                return false;
            }
            let Some(left) = pause.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) else { return true };
            now = self.changed.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The life of the thread.
fn work(target: &Target, shared: &Shared) {
    while let Some(mut job) = shared.next() {
        let mut pause = Duration::from_secs(1);
        let mut told = false;
        let failed = loop {
            let tried = panics::catch("copying a checkpoint", || Ok(upload(target, &mut job)));
            let error = match tried {
                Ok(Ok(())) => break None,
                Ok(Err(error)) => error,
                Err(panicked) => MirrorError::Local(CheckpointError::State(panicked.to_string())),
            };
            if !std::mem::replace(&mut told, true) {
                let text =
                    format!("warning: the checkpoint `{}` could not be copied to the mirror yet: {error}", job.name);
                shared.lock().told.push(text);
            }
            if !shared.pause(pause, &job, error.passes()) {
                break Some(error.to_string());
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        };
        let mut now = shared.lock();
        if told && failed.is_none() {
            now.told.push(format!("the checkpoint `{}` is in the mirror now", job.name));
        }
        now.failed = failed;
    }
}

fn upload(target: &Target, job: &mut Job) -> Result<(), MirrorError> {
    let mirror = Mirror::open(&target.url, &target.run)?;
    mirror.write(&job.folder, &job.name, &mut job.done)?;
    mirror.retain(&job.name, job.retention.as_ref())
}
