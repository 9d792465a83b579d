//! What an update changes, and with what.

use crate::optim::{Optim, Schedules};

/// The optimizers with their parameters, and what changes their settings with the clock.
#[derive(Default)]
pub struct Updates {
    /// The optimizers, in field order.
    pub optimizers: Vec<Optim>,
    /// What changes with the clock.
    pub schedules: Schedules,
}
