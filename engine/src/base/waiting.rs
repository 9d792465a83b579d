//! What the process is waiting for, for messages when it waits long.
//!
//! There is one value for the whole process, because there is one terminal and one Ctrl-C. It is set only when a wait
//! has taken a second, so that short waits cost nothing.

use std::sync::{Mutex, PoisonError};

static WAITED_FOR: Mutex<Option<String>> = Mutex::new(None);

/// While it exists, the process is waiting for something.
#[must_use = "the wait is over as soon as it is dropped"]
#[derive(Debug)]
pub struct Waiting(());

impl Waiting {
    /// Says that the process is waiting for `what`: "sample 17 of loader `train`".
    pub fn for_(what: String) -> Waiting {
        *WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
        Waiting(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What the process is waiting for. `None`: it is not waiting, or this was not set.
pub fn waited_for() -> Option<String> {
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
