//! Threads that make batches ahead of their turn.
//!
//! Every job carries its place, so that it does not matter which worker finishes first. A worker always answers:
//! all of a user's code runs where panics are caught. Nothing waits for a lock or a full queue: both queues are
//! unbounded, and the owner hands out no more jobs than it wants batches.

use crate::base::error::{Error, Result};
use crate::base::spans::{self, SpanKind};
use crate::base::waiting::Waiting;
use crate::data::dataset::{BatchOf, Dataset, SampleOf, Samples};
use crate::data::error::{DataError, caught};
use crate::data::transfer::Pins;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// How long a pool that ends waits for samples that are just being read: a worker that takes longer is left to itself,
/// and ends after its sample. A batch that takes longer is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// The workers of one loader.
pub(super) struct Pool<D: Dataset> {
    jobs: Option<Sender<Job>>,
    answers: Receiver<Answer<D>>,
    threads: Vec<JoinHandle<()>>,
    /// Jobs of another round are of no use any more.
    round: Arc<AtomicU64>,
    /// Batches that are there before their turn.
    ready: BTreeMap<u64, Made<D>>,
    /// What the workers were given, by turn.
    given: BTreeMap<u64, Arc<Samples>>,
}

type Made<D> = Result<BatchOf<D>>;

struct Job {
    round: u64,
    turn: u64,
    samples: Arc<Samples>,
}

struct Answer<D: Dataset> {
    round: u64,
    turn: u64,
    made: Made<D>,
}

impl<D: Dataset> Pool<D> {
    /// Starts the threads; with `pins` they copy what they make into pinned memory.
    pub(super) fn start(
        loader: &str,
        dataset: &Arc<D>,
        workers: usize,
        pins: Option<&Arc<Pins>>,
    ) -> Result<Self, DataError> {
        let (jobs, waiting) = channel::<Job>();
        let (sender, answers) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let round = Arc::new(AtomicU64::new(0));
        let mut pool = Pool {
            jobs: Some(jobs),
            answers,
            threads: Vec::new(),
            round,
            ready: BTreeMap::new(),
            given: BTreeMap::new(),
        };
        for index in 0..workers {
            let (dataset, waiting, sender, round) =
                (dataset.clone(), waiting.clone(), sender.clone(), pool.round.clone());
            let pins = pins.cloned();
            let thread = Builder::new().name(format!("{loader}-{index}"));
            let run = move |dataset: &D| work(dataset, pins.as_deref(), &waiting, &sender, &round);
            let thread = D::Item::on_thread(dataset, thread, run)
                .map_err(|why| DataError::Workers { loader: loader.to_owned(), why: why.to_string() })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Hands out a batch to be made, to be taken in its turn.
    pub(super) fn order(&mut self, turn: u64, samples: Samples) {
        let samples = Arc::new(samples);
        self.given.insert(turn, samples.clone());
        if let Some(jobs) = &self.jobs {
            // it fails only when all workers are gone, and then `take` says so
            let _ = jobs.send(Job { round: self.round.load(Ordering::Relaxed), turn, samples });
        }
    }

    /// Keeps an error until its batch's turn.
    pub(super) fn fail(&mut self, turn: u64, error: Error) {
        self.ready.insert(turn, Err(error));
    }

    /// Whether a batch that was handed out in this round is there already.
    pub(super) fn is_ready(&mut self, turn: u64) -> bool {
        let round = self.round.load(Ordering::Relaxed);
        for answer in self.answers.try_iter().filter(|answer| answer.round == round) {
            self.ready.insert(answer.turn, answer.made);
        }
        self.ready.contains_key(&turn)
    }

    /// A batch that was handed out in this round, if it is there already and nothing is wrong with it.
    pub(super) fn ready(&mut self, turn: u64) -> Option<&mut BatchOf<D>> {
        if !self.is_ready(turn) {
            return None;
        }
        self.ready.get_mut(&turn).and_then(|made| made.as_mut().ok())
    }

    /// Waits for a batch that was handed out in this round, at most so long. What is waited for is told to the process
    /// when it takes long, so that who presses Ctrl-C learns of it.
    pub(super) fn take(&mut self, loader: &str, turn: u64, most: Option<Duration>) -> Made<D> {
        let round = self.round.load(Ordering::Relaxed);
        let begun = Instant::now();
        let mut waiting = None;
        let made = loop {
            if let Some(made) = self.ready.remove(&turn) {
                break made;
            }
            let left = most.map_or(PATIENCE, |most| most.saturating_sub(begun.elapsed()).min(PATIENCE));
            match self.answers.recv_timeout(left) {
                Ok(answer) if answer.round == round => {
                    self.ready.insert(answer.turn, answer.made);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let what = self.given.get(&turn).map_or_else(|| "a batch".to_owned(), |samples| samples.told());
                    if let Some(most) = most.filter(|most| begun.elapsed() >= *most) {
                        let (loader, seconds) = (loader.to_owned(), most.as_secs_f64());
                        break Err(DataError::Timeout { loader, seconds, what }.into());
                    }
                    // the old one first: its drop says that nothing is waited for
                    drop(waiting.take());
                    waiting = Some(Waiting::for_(format!("{what} of loader `{loader}`")));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let why = "all of them have ended".to_owned();
                    break Err(DataError::Workers { loader: loader.to_owned(), why }.into());
                }
            }
        };
        self.given.remove(&turn);
        made
    }

    /// Forgets every batch that was handed out.
    pub(super) fn forget(&mut self) {
        self.round.fetch_add(1, Ordering::Relaxed);
        self.ready.clear();
        self.given.clear();
    }
}

impl<D: Dataset> Drop for Pool<D> {
    fn drop(&mut self) {
        self.forget();
        self.jobs = None;
        // the answers' channel closes when the last worker has ended
        let until = Instant::now() + PATIENCE;
        let all_ended = loop {
            match self.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(_) => continue,
                Err(RecvTimeoutError::Disconnected) => break true,
                Err(RecvTimeoutError::Timeout) => break false,
            }
        };
        for thread in self.threads.drain(..).filter(|thread| all_ended || thread.is_finished()) {
            let _ = thread.join();
        }
    }
}

/// Makes one batch, in pinned memory with `pins`; whatever a user's code does, there is an answer.
pub(super) fn make<D: Dataset>(dataset: &D, samples: &Samples, pins: Option<&Pins>) -> Made<D> {
    let made = caught(|| {
        // data need no gradients, and a worker's thread would not know that the trainer's has them off
        let _guard = tch::no_grad_guard();
        let batch = dataset.batch(samples)?;
        match pins {
            Some(pins) => pins.pinned(batch),
            None => Ok(batch),
        }
    });
    let why = match made {
        Ok(Ok(batch)) => return Ok(batch),
        // it has its place already
        Ok(Err(why)) if why.downcast_ref::<DataError>().is_some() => return Err(why),
        Ok(Err(why)) => why,
        Err(panic) => Error::msg(format!("the dataset panicked: {panic}")),
    };
    Err(DataError::Batch { loader: samples.name(), at: samples.at, indices: samples.indices.clone(), why }.into())
}

fn work<D: Dataset>(
    dataset: &D,
    pins: Option<&Pins>,
    jobs: &Mutex<Receiver<Job>>,
    answers: &Sender<Answer<D>>,
    round: &AtomicU64,
) {
    loop {
        // the lock is held while waiting: the others would wait for the same thing
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { round: of, turn, samples }) = job else { return };
        if of != round.load(Ordering::Relaxed) {
            continue;
        }
        let span = spans::span(SpanKind::Data, "make a batch");
        let made = make(dataset, &samples, pins);
        drop(span);
        if answers.send(Answer { round: of, turn, made }).is_err() {
            return;
        }
    }
}
