//! SIGINT and SIGTERM: the first signal requests the loop to end in good order, a second one ends the process at once.
//! SIGUSR1 requests a checkpoint, and the run continues. What came before a command listens is not lost
//! ([`base::signals`](crate::base::signals)).
//!
//! The loop checks for a signal only at points where no work is half finished. When it does not reach such a point
//! soon, because a step, a worker or a disk is stuck, a separate thread prints what the run is waiting for, and what a
//! second signal does.

use crate::base::waiting::{Waited, interrupt, waited_for};
use crate::base::{Error, Result, signals};
use crate::native;
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator;
use std::fmt;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

/// How long after a signal it is told that the run has not ended yet.
const SILENT: Duration = Duration::from_secs(2);

/// A signal that ends a run in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`, a scheduler's time limit.
    Terminate,
}

/// The signal that was received, if any. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    came: Arc<AtomicUsize>,
    save: Arc<AtomicBool>,
    /// What a signal leads to, a number of [`Stage`].
    stage: Arc<AtomicU8>,
    /// The thread that tells what is waited for.
    _teller: Option<Arc<Teller>>,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    /// Data, models and hooks are made.
    SetUp,
    /// It runs, and has nothing to save.
    Runs,
    /// It runs, and saves a checkpoint when it ends.
    Saves,
}

/// Makes a write beyond the process's limit for the size of files an error, as that of a full disk. By default the system
/// ends the process without a word.
///
/// # Errors
/// When the handler can't be set.
pub fn survive_file_size_limit() -> Result<()> {
    let set = signal_hook::flag::register(SIGXFSZ, Arc::default());
    set.map(drop).map_err(|error| Error::new(error).context("signal handlers can't be set"))
}

impl Signals {
    /// Listens to the signals of the process, also to those that came before, if this is the first to listen. Those that
    /// whoever has started the process has blocked are let through to this thread, and to threads that it makes.
    ///
    /// # Errors
    /// When the handlers can't be set.
    pub fn listen() -> Result<Signals> {
        let stage = Arc::new(AtomicU8::new(Stage::SetUp as u8));
        let set = || -> std::io::Result<(signals::Caught, Teller)> {
            let caught = signals::listen()?;
            // only now, as they would have ended the process before
            native::let_through(&signals::CAUGHT);
            let teller = Teller::start(Arc::clone(&caught.end), Arc::clone(&stage))?;
            Ok((caught, teller))
        };
        let (caught, teller) = set().map_err(|error| Error::new(error).context("signal handlers can't be set"))?;
        Ok(Signals { came: caught.end, save: caught.save, stage, _teller: Some(Arc::new(teller)) })
    }

    /// Acts as if the signal had been received: for tests, and for programs that are ended in another way.
    pub fn raise(&self, signal: Signal) {
        self.came.store(signal.number() as usize, Ordering::Relaxed);
    }

    /// From now on a signal ends what is running, and whoever waits is told so.
    pub(crate) fn lead_to_end(&self) {
        self.stage.store(Stage::Runs as u8, Ordering::Relaxed);
    }

    /// From now on a signal leads to a checkpoint, and whoever waits is told so.
    pub(crate) fn lead_to_checkpoint(&self) {
        self.stage.store(Stage::Saves as u8, Ordering::Relaxed);
    }

    /// As if SIGUSR1 had been received: the run is saved at its next safe point, and continues.
    pub fn ask_to_save(&self) {
        self.save.store(true, Ordering::Relaxed);
    }

    /// Whether a checkpoint was requested since the last call.
    pub(crate) fn take_save(&self) -> bool {
        // only a load in almost all iters
        self.save.load(Ordering::Relaxed) && self.save.swap(false, Ordering::Relaxed)
    }

    /// The signal that was received, if any.
    pub fn received(&self) -> Option<Signal> {
        Signal::of(self.came.load(Ordering::Relaxed) as i32)
    }
}

impl Signal {
    /// The system's number of it.
    pub(crate) fn number(self) -> i32 {
        match self {
            Signal::Interrupt => SIGINT,
            Signal::Terminate => SIGTERM,
        }
    }

    /// The signal of a number.
    pub(crate) fn of(number: i32) -> Option<Signal> {
        match number {
            SIGINT => Some(Signal::Interrupt),
            SIGTERM => Some(Signal::Terminate),
            _ => None,
        }
    }

    /// The exit code for the signal: 130 or 143.
    pub fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        })
    }
}

/// The thread that waits for signals; it ends with the last [`Signals`].
#[derive(Debug)]
struct Teller {
    handle: iterator::Handle,
    /// Whether the run is over, so that there is nothing to tell.
    over: Arc<AtomicBool>,
}

impl Teller {
    fn start(came: Arc<AtomicUsize>, stage: Arc<AtomicU8>) -> std::io::Result<Teller> {
        let mut signals = iterator::Signals::new([SIGINT, SIGTERM])?;
        let before = Signal::of(came.load(Ordering::Relaxed) as i32);
        let (handle, over) = (signals.handle(), Arc::new(AtomicBool::new(false)));
        let is_over = Arc::clone(&over);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in before.into_iter().chain(signals.forever().filter_map(Signal::of)) {
                interrupt();
                std::thread::sleep(SILENT);
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                // when nobody can read it, nothing else can be done about it
                let begin = if stderr().is_terminal() { "\r\x1b[K" } else { "" };
                let _ = writeln!(
                    stderr(),
                    "{begin}{}",
                    told(signal, Stage::of(stage.load(Ordering::Relaxed)), waited_for())
                );
            }
        })?;
        Ok(Teller { handle, over })
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.handle.close();
    }
}

impl Stage {
    fn of(number: u8) -> Stage {
        let all = [Stage::SetUp, Stage::Runs, Stage::Saves];
        all.into_iter().find(|stage| *stage as u8 == number).unwrap_or(Stage::Runs)
    }
}

/// What is said when a run does not end soon after a signal.
fn told(signal: Signal, stage: Stage, waited_for: Option<Waited>) -> String {
    let again = match signal {
        Signal::Interrupt => "a second Ctrl-C",
        Signal::Terminate => "a second SIGTERM",
    };
    let what = match waited_for {
        Some(Waited { what, at_end: true }) => {
            return format!("{signal}: the run has ended and is waiting for {what}; {again} ends the process at once");
        }
        Some(Waited { what, .. }) => what,
        None if stage == Stage::SetUp => "data, models and hooks to be set up".to_owned(),
        None => "a step, a validation or a checkpoint to finish".to_owned(),
    };
    let (does, lost) = match stage {
        Stage::SetUp => {
            return format!(
                "{signal}: the command ends before it begins; it is waiting for {what}; {again} ends the process at once"
            );
        }
        Stage::Saves => ("the run saves a checkpoint and ends", ", and what is not in a checkpoint is lost"),
        Stage::Runs => ("the command ends", ""),
    };
    format!("{signal}: {does} after this iter; it is waiting for {what}; {again} ends the process at once{lost}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::BlockedSignals;

    #[test]
    fn who_listens_gets_signals_that_were_blocked_when_the_process_was_started() {
        // each thread has a mask of its own
        let listening = std::thread::spawn(|| {
            std::mem::forget(BlockedSignals::block(&signals::CAUGHT));
            let blocked = || {
                let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
                let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
                let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
                signals::CAUGHT.map(|signal| mask >> (signal - 1) & 1 == 1)
            };
            assert_eq!(blocked(), [true; 3]);
            let _signals = Signals::listen().unwrap();
            assert_eq!(blocked(), [false; 3]);
        });
        listening.join().unwrap();
    }
}
