//! The loops: training by epoch and by iter (one engine, two clocks), val, test, predict.
//!
//! What they promise: every `before_x` that was entered has its `after_x`, whatever fails, panics or stops in between;
//! `on_exception` runs once, before the phases that close what is open; what hooks ask for is answered at safe
//! points, where no iter is half done: between two iters, and after `after_train_epoch`. A safe point looks for
//! signals first, then validates, then writes checkpoints. A run that goes on from a checkpoint ends with the bits
//! of one that was never stopped.
//!
//! What they never do: read a tensor from the device (metrics and the logger do), or allocate on the engine's side
//! in an iter.

mod checkpoint;
mod chosen;
mod decide;
mod ended;
mod evaluate;
mod evaluation;
mod fed;
mod finite;
mod identity;
mod names;
mod order;
mod plan;
mod predict;
mod program;
mod sanity;
mod share;
mod trace;
mod train;
mod train_loaders;
mod trainer;
mod update;

pub use chosen::{LoopConfig, TrainLoop, Training};
pub use evaluate::Report;
pub use fed::{FedStep, VisitLoader};
pub(crate) use names::{is_short, monitored, produced_twice};
pub(crate) use plan::{ENDLESS_EPOCH, uneven};
pub use plan::{EpochLoader, Plan, TrainPlan, ValPlan};
pub use program::{End, Program};
pub use trace::Traced;
pub use trainer::{EachMetric, Role, Trainer};
