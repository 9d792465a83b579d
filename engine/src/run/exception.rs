//! What ends a run out of turn.

use crate::base::Error;
use crate::run::Signal;

/// What is on its way out of the run while `on_exception` and the closing phases run. `on_exception` runs once in a
/// run; a failure that comes after a signal is seen in the closing phases alone.
#[derive(Debug)]
pub enum Exception {
    /// Something failed.
    Failed(Error),
    /// The process was told to end.
    Signal(Signal),
}
