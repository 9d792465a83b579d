//! The thread that sends a run to the server, so that the training never waits for it.
//!
//! What is sent is read from the run's own `metrics.jsonl`: as long as the server is away, the rows wait there, also beyond the end
//! of the process. MLflow adds values and never replaces one, so the server is asked for the last step of each metric, and
//! only later ones are sent.

use super::rest::Problem;
use super::run::{Job, Link};
use crate::base::waiting::Waiting;
use crate::record::Outcome;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often new rows are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// The pause behind a first failure, and the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often the wait for the end looks for a signal.
const LOOK: Duration = Duration::from_millis(200);

/// A run that is being sent.
pub(super) struct Sender(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// What the training and the thread tell each other.
#[derive(Default)]
struct State {
    /// The rows were cut, and are to be read from their begin.
    anew: bool,
    /// How the run has ended.
    end: Option<Outcome>,
    /// The sink has gone.
    given_up: bool,
    /// How the last try has ended; `None` before the first one.
    last: Option<Result<(), Problem>>,
    /// What is to be told at the opening.
    notice: Option<String>,
    /// The id of the run at the server.
    run: Option<String>,
    /// Everything up to the end was sent.
    done: bool,
    /// When something got through last.
    moved: Option<Instant>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Sender {
    /// Begins to send a run.
    ///
    /// # Errors
    /// When the thread can't be started.
    pub(super) fn begin(job: Job) -> std::io::Result<Sender> {
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        std::thread::Builder::new().name("mlflow".to_owned()).spawn(move || send(job, &own))?;
        Ok(Sender(shared))
    }

    /// How the first try has ended, where it has within this time.
    pub(super) fn first(&self, most: Duration) -> Option<Result<(), Problem>> {
        let begun = Instant::now();
        let mut state = self.0.state();
        while state.last.is_none() && begun.elapsed() < most {
            state = self.0.wait(state, most);
        }
        state.last.clone()
    }

    /// What a person has to know.
    pub(super) fn notice(&self) -> Option<String> {
        self.0.state().notice.take()
    }

    /// Why the server refuses the run for good.
    pub(super) fn refused(&self) -> Option<String> {
        match &self.0.state().last {
            Some(Err(refused @ Problem::Refused { .. })) => Some(refused.to_string()),
            _ => None,
        }
    }

    /// The id of the run at the server.
    pub(super) fn run(&self) -> Option<String> {
        self.0.state().run.clone()
    }

    /// The rows were cut.
    pub(super) fn begin_anew(&self) {
        self.0.state().anew = true;
        self.0.changed.notify_all();
    }

    /// The run has ended. Waits until everything is sent, or nothing has got through for this time, or a signal ends the wait.
    ///
    /// # Errors
    /// Why something is left.
    pub(super) fn end(&self, how: Outcome, patience: Duration, waiting: &Waiting) -> Result<(), String> {
        let begun = Instant::now();
        let mut state = self.0.state();
        (state.end, state.done) = (Some(how), false);
        self.0.changed.notify_all();
        loop {
            let moved = state.moved.filter(|moved| *moved > begun).unwrap_or(begun);
            match &state.last {
                _ if state.done => return Ok(()),
                Some(Err(refused @ Problem::Refused { .. })) => return Err(refused.to_string()),
                last if moved.elapsed() >= patience || waiting.is_interrupted() => {
                    let last = last.clone().and_then(Result::err);
                    return Err(last.map_or_else(|| "the server does not answer".to_owned(), |why| why.to_string()));
                }
                _ => {}
            }
            let left = patience.saturating_sub(moved.elapsed()).clamp(Duration::from_millis(10), LOOK);
            state = self.0.wait(state, left);
        }
    }
}

impl Drop for Sender {
    /// The thread may be waiting for the server: it ends by itself.
    fn drop(&mut self) {
        self.0.state().given_up = true;
        self.0.changed.notify_all();
    }
}

fn send(mut job: Job, shared: &Shared) {
    let mut link: Option<Link> = None;
    let mut pause = PAUSE;
    loop {
        let (anew, end) = {
            let mut state = shared.state();
            if state.given_up || state.done {
                return;
            }
            (std::mem::take(&mut state.anew), state.end)
        };
        let moved = || shared.state().moved = Some(Instant::now());
        let tried = step(&mut job, &mut link, anew, end, &moved);
        let mut state = shared.state();
        state.run = link.as_ref().map(|link| link.run().to_owned()).or(state.run.take());
        state.notice = link.as_mut().and_then(Link::notice).or(state.notice.take());
        let (has_failed, is_refused) = (tried.is_err(), matches!(tried, Err(Problem::Refused { .. })));
        // what came while this was sent is still to be sent
        state.done = end.is_some() && !has_failed && !state.anew;
        state.last = Some(tried);
        shared.changed.notify_all();
        if is_refused {
            return;
        }
        let rest = match (has_failed, end) {
            (false, _) => INTERVAL,
            // somebody waits for the end
            (true, Some(_)) => PAUSE,
            (true, None) => pause,
        };
        pause = if has_failed { (pause * 2).min(LONGEST_PAUSE) } else { PAUSE };
        let until = Instant::now() + rest;
        while !(state.done || state.given_up || state.anew || state.end != end) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = shared.wait(state, left);
        }
    }
}

/// Sends what there is.
fn step(
    job: &mut Job,
    link: &mut Option<Link>,
    anew: bool,
    end: Option<Outcome>,
    moved: &dyn Fn(),
) -> Result<(), Problem> {
    let link = match link {
        Some(link) => link,
        None => {
            let made = job.connect()?;
            moved();
            link.insert(made)
        }
    };
    if anew {
        link.begin_anew();
    }
    job.send_rows(link, moved)?;
    match end {
        Some(how) => job.end(link, how, moved),
        None => Ok(()),
    }
}
