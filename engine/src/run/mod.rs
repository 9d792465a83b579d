//! What a run owns, in groups, and [`Context`]: the one view that hooks and steps have of it.
//!
//! The loops write here where the run is; hooks and steps read it, and leave requests. Nothing in this folder runs
//! anything.

mod clocks;
mod context;
mod current;
mod ending;
mod requests;
mod seen;
mod state;
mod step;
mod storage;
mod updates;

pub use clocks::Clocks;
pub use context::Context;
pub use current::{Command, Current};
pub use ending::{Ending, Exception, Signal, Stop};
pub use requests::{Requests, Save};
pub use seen::{Results, Seen};
pub use state::RunState;
pub use step::StepState;
pub use storage::Storage;
pub use updates::Updates;
