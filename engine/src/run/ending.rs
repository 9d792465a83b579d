//! Why a run ends before its plan: a stop that was decided, a signal, a failure on its way out.

use crate::base::Error;
use std::fmt;

/// Why the run ends, once it does.
#[derive(Debug, Default)]
pub struct Ending {
    /// Why the training ends before its plan.
    pub(crate) stop: Option<Stop>,
    /// The error or signal that is on its way out.
    pub(crate) exception: Option<Exception>,
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
