//! What a run owns, in groups, and [`Context`], through which hooks and steps access it.
//!
//! The loops write the position of the run here; hooks and steps read it and make requests. Nothing in this folder
//! runs a loop, a step or a hook.

mod cadence;
mod clocks;
mod context;
mod current;
mod decision;
mod dumps;
mod endpoints;
mod eval_weights;
mod exception;
mod generators;
mod numerics;
mod requests;
mod rollback;
mod scheduled;
mod seen;
mod shares;
mod signals;
mod state;
mod step;
mod storage;
mod time_limit;

pub use cadence::Cadence;
pub use clocks::Clocks;
pub use context::{Context, Staged, TaskScale};
pub use current::{Command, Current, PassPlace};
pub use decision::{Decision, Stop, StopKind};
pub(crate) use dumps::Dumps;
pub use eval_weights::EvalWeights;
pub use exception::Exception;
pub(crate) use generators::Generators;
pub use numerics::Numerics;
pub(crate) use requests::{Caller, StopRequest};
pub use requests::{Requests, Save};
pub use rollback::RollBack;
pub(crate) use rollback::Rollbacks;
pub(crate) use scheduled::Scheduled;
pub use seen::{Results, Seen};
pub(crate) use shares::{Foreseen, Shares};
pub use signals::{Signal, Signals, survive_file_size_limit};
pub use state::RunState;
pub use step::StepState;
pub(crate) use step::StepWatch;
pub use storage::{OnSaveError, SavedCheckpoint, Saving, Storage};
pub use time_limit::TimeLimit;
