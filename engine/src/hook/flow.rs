//! What hooks ask of the loop: stop, validate, save, skip. The loop answers at the next safe point.

use crate::base::Error;
use std::fmt;

/// The requests that wait for the loop.
#[derive(Debug, Default)]
pub struct Flow {
    pub(crate) stop: Option<Stop>,
    pub(crate) validate: bool,
    pub(crate) saves: Vec<Save>,
    /// Why the coming update is to be left out.
    pub(crate) skip_update: Option<String>,
    /// Whether the update of this iter was left out.
    pub(crate) skipped: bool,
}

/// Why the training ends before its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A hook or a step asked for it.
    Requested {
        /// In its words.
        reason: String,
    },
    /// The process was told to end.
    Signal(Signal),
}

/// A signal that ends a run in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`, a scheduler's time limit.
    Terminate,
}

/// A checkpoint to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    /// Its folder's name below `checkpoints/`.
    pub name: String,
    /// Whether it is written last of those of one safe point, so that `checkpoints/latest` names it. Each holds the
    /// whole run: `--resume` takes the newest, whatever its name.
    pub latest: bool,
}

/// What is on its way out of the run while `on_exception` and the closing phases run. `on_exception` runs once in a
/// run; a failure that comes after a signal is seen in the closing phases alone.
#[derive(Debug)]
pub enum Exception {
    /// Something failed.
    Failed(Error),
    /// The process was told to end.
    Signal(Signal),
}

impl Signal {
    /// The shell's exit code for it: 130 or 143.
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

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Requested { reason } => f.write_str(reason),
            Stop::Signal(signal) => write!(f, "{signal}"),
        }
    }
}
