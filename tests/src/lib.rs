//! What the two small programs of this package are made of.
//!
//! They use everything whose state a checkpoint has to hold (shuffling, augmentation, dropout, batch norm, an average
//! of the weights, a schedule, a hook with state), and they can be told to be slow and to fail at a chosen place, so
//! that tests can end them there. The tests themselves are in `tests/process`.

pub mod data;
pub mod faults;
mod growing;
pub mod hooks;
pub mod metrics;
pub mod model;
pub mod weighing;
