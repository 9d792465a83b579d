//! What the process is waiting for, for messages when it waits long.
//!
//! There is one value for the whole process, because there is one terminal and one Ctrl-C. It is set only when a wait
//! has taken a second, so that short waits cost nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static WAITED_FOR: Mutex<Option<Waited>> = Mutex::new(None);
/// Whether a signal came during the wait.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    /// "sample 17 of loader `train`".
    pub what: String,
    /// Whether the run has ended, so that a signal ends nothing but the wait.
    pub at_end: bool,
}

/// While it exists, the process is waiting for something.
#[must_use = "the wait is over as soon as it is dropped"]
#[derive(Debug)]
pub struct Waiting(());

impl Waiting {
    /// Says that the process is waiting for `what`: "sample 17 of loader `train`".
    pub fn for_(what: String) -> Waiting {
        Waiting::begin(Waited { what, at_end: false })
    }

    /// Says that a run which has ended is still waiting for `what`. [`Waiting::is_interrupted`] has to be asked meanwhile.
    pub fn at_end(what: String) -> Waiting {
        Waiting::begin(Waited { what, at_end: true })
    }

    fn begin(waited: Waited) -> Waiting {
        INTERRUPTED.store(false, Ordering::Relaxed);
        *WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner) = Some(waited);
        Waiting(())
    }

    /// Whether a signal has come since the wait began.
    pub fn is_interrupted(&self) -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What the process is waiting for. `None`: it is not waiting, or this was not set.
pub fn waited_for() -> Option<Waited> {
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A signal has come.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}
