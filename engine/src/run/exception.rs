//! Errors and signals that end a run.

use crate::base::Error;
use crate::run::Signal;

/// The error or signal that ends the run, for `on_exception` and the closing phases. `on_exception` runs once in a
/// run; when a failure follows a signal, only the closing phases see the failure.
#[derive(Debug)]
pub enum Exception {
    /// Something failed.
    Failed(Error),
    /// The process received a signal to end.
    Signal(Signal),
}
