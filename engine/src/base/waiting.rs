//! What the process waits for right now, when that takes long: for who wants to know why nothing happens.
//!
//! There is one place for the whole process, as there is one terminal and one Ctrl-C. It is written only once a wait has
//! taken a second, so that what is quick pays nothing.

use std::sync::{Mutex, PoisonError};

static WAITED_FOR: Mutex<Option<String>> = Mutex::new(None);

/// While it lives, the process waits for something.
#[must_use = "the wait is over as soon as it is dropped"]
#[derive(Debug)]
pub struct Waiting(());

impl Waiting {
    /// The process waits for `what`: "sample 17 of loader `train`".
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

/// What the process waits for. `None`: it does not wait, or what it waits for was not noted.
pub fn waited_for() -> Option<String> {
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
