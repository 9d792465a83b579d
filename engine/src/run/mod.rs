//! What a run owns, in groups, and [`Context`]: the one view that hooks and steps have of it.
//!
//! The loops write here where the run is; hooks and steps read it, and leave requests. Nothing in this folder runs
//! anything.

mod cadence;
mod clocks;
mod context;
mod current;
mod decision;
mod exception;
mod generators;
mod requests;
mod seen;
mod signals;
mod state;
mod step;
mod storage;
mod time_limit;

pub use cadence::Cadence;
pub use clocks::Clocks;
pub use context::Context;
pub use current::{Command, Current, PassPlace};
pub use decision::{Decision, Stop, StopKind};
pub use exception::Exception;
pub(crate) use generators::Generators;
pub(crate) use requests::Caller;
pub use requests::{Requests, Save};
pub use seen::{Results, Seen};
pub use signals::{Signal, Signals};
pub use state::RunState;
pub use step::StepState;
pub use storage::{OnSaveError, SavedCheckpoint, Saving, Storage};
pub use time_limit::TimeLimit;
