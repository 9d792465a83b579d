//! The checkpoints that wait for their upload, and what became of the others.

use super::super::names::iter_of_name;
use super::super::retain::remove;
use super::super::{CheckpointError, Retention};
use super::MirrorError;
use crate::base::Error;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the end of a run waits for a storage that takes no checkpoint.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause before the second try; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One version of a checkpoint to upload.
pub(super) struct Job {
    pub(super) name: String,
    /// Links of its files. The folder belongs to this job alone.
    pub(super) folder: PathBuf,
    pub(super) retention: Option<Retention>,
    /// The files that an earlier try has written.
    pub(super) done: BTreeSet<String>,
    /// Later jobs have greater numbers.
    number: u64,
    /// When the last try has failed.
    failed_at: Option<Instant>,
    /// The pause after it.
    pause: Duration,
}

impl Job {
    pub(super) fn new(name: String, folder: PathBuf, retention: Option<Retention>, number: u64) -> Job {
        Job { name, folder, retention, done: BTreeSet::new(), number, failed_at: None, pause: FIRST_PAUSE }
    }

    /// What a newer one of the same kind replaces: all that are named by their iter are of one kind, any other name is a kind.
    fn kind(&self) -> &str {
        if iter_of_name(&self.name).is_some() { "" } else { &self.name }
    }

    /// When it is to be tried; `None` for at once.
    fn due(&self, is_ending: bool) -> Option<Instant> {
        let pause = if is_ending { self.pause.min(FIRST_PAUSE) } else { self.pause };
        self.failed_at.map(|at| at + pause)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // best effort: what is left is cleaned at the next start
        let _ = remove(&self.folder);
    }
}

/// What both threads know.
#[derive(Default)]
pub(super) struct Queue {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    waiting: Vec<Job>,
    /// Until when the end of the run waits.
    until: Option<Instant>,
    told: Vec<String>,
    /// The last version of each kind that could not be uploaded, until a later one is.
    failed: BTreeMap<String, Failure>,
}

struct Failure {
    number: u64,
    name: String,
    why: String,
}

impl Now {
    fn fail(&mut self, job: &Job, why: String) {
        let failure = Failure { number: job.number, name: job.name.clone(), why };
        if self.failed.get(job.kind()).is_none_or(|known| known.number < job.number) {
            self.failed.insert(job.kind().to_owned(), failure);
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job. An older one of its kind that waits is given up.
    pub(super) fn add(&self, job: Job) {
        let mut now = self.lock();
        let older: Vec<Job> = now.waiting.extract_if(.., |other| other.kind() == job.kind()).collect();
        now.waiting.push(job);
        drop(now);
        self.changed.notify_all();
        // their folders are deleted without keeping the other thread waiting
        drop(older);
    }

    /// The next job, and the names of others that are partly uploaded. It waits for one, and gives `None` once the run has
    /// ended and nothing is left.
    pub(super) fn next(&self) -> Option<(Job, Vec<String>)> {
        let mut now = self.lock();
        loop {
            let is_ending = now.until.is_some();
            let first = (0..now.waiting.len()).min_by_key(|at| now.waiting[*at].due(is_ending));
            let Some(first) = first else {
                if is_ending {
                    return None;
                }
                now = self.changed.wait(now).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = now.waiting[first].due(is_ending).map(|due| due.saturating_duration_since(Instant::now()));
            if let Some(left) = left.filter(|left| !left.is_zero()) {
                now = self.changed.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let job = now.waiting.remove(first);
            let begun = now.waiting.iter().filter(|other| !other.done.is_empty()).map(|other| other.name.clone());
            return Some((job, begun.collect()));
        }
    }

    /// Notes that a job is uploaded.
    pub(super) fn succeeded(&self, job: &Job) {
        let mut now = self.lock();
        if job.failed_at.is_some() {
            now.told.push(format!("the checkpoint `{}` is in the mirror now", job.name));
        }
        now.failed.retain(|kind, failure| kind != job.kind() || failure.number > job.number);
        if let Some(until) = &mut now.until {
            // the storage works: what is left gets the whole time
            *until = Instant::now() + PATIENCE;
        }
    }

    /// Notes that a try has failed. The job is tried again after others, unless its files are at fault, a newer one of its kind
    /// waits, or the time at the end of the run is over.
    pub(super) fn failed(&self, mut job: Job, error: MirrorError) {
        if let MirrorError::Local(error) = error {
            return self.refused(&job, error);
        }
        let mut now = self.lock();
        let why = error.to_string();
        if job.failed_at.replace(Instant::now()).is_none() {
            let text = format!("warning: the checkpoint `{}` could not be copied to the mirror yet: {why}", job.name);
            now.told.push(text);
        } else {
            job.pause = (2 * job.pause).min(LONGEST_PAUSE);
        }
        if now.waiting.iter().any(|other| other.kind() == job.kind()) {
            return;
        }
        match now.until {
            Some(until) if Instant::now() >= until => now.fail(&job, why),
            _ => now.waiting.push(job),
        }
    }

    /// Notes that a job can't be uploaded, because of its files on this disk.
    pub(super) fn refused(&self, job: &Job, error: CheckpointError) {
        let why = format!("{:#}", Error::new(error));
        let mut now = self.lock();
        now.told.push(format!("warning: the checkpoint `{}` is not copied to the mirror: {why}", job.name));
        now.fail(job, why);
    }

    /// Adds a line to what is told.
    pub(super) fn tell(&self, line: &str) {
        self.lock().told.push(line.to_owned());
    }

    /// What is to be told since the last call.
    pub(super) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().told)
    }

    /// From now on no job is added.
    pub(super) fn end(&self) {
        self.lock().until = Some(Instant::now() + PATIENCE);
        self.changed.notify_all();
    }

    /// The names of what could not be uploaded, each with why not; `None` when all is there.
    pub(super) fn missing(&self) -> Option<String> {
        let failed = std::mem::take(&mut self.lock().failed);
        let each: Vec<_> = failed.values().map(|failure| format!("`{}`: {}", failure.name, failure.why)).collect();
        (!each.is_empty()).then(|| each.join("; "))
    }
}
