//! The loops: training by epoch and by iter (one engine, two clocks), val, test, predict.
//!
//! Promised: after every `before_x` that ran, its `after_x` runs, whatever fails, panics or stops in between.
//! `on_exception` runs once, before the closing phases of all open phases. Requests of hooks are decided at safe
//! points, where no iter is half finished: between two iters, and after `after_train_epoch`. A safe point first checks
//! for signals, then validates, then writes checkpoints; or it goes back to an earlier state, and does nothing else. A run that is resumed from a checkpoint ends bit-identical to
//! one that was never stopped.
//!
//! Never: the loops do not read a tensor from the device (metrics and the logger do), and the engine does not allocate
//! memory in an iter.

mod by_graph;
mod checkpoint;
mod chosen;
mod costs;
mod decide;
mod dump;
mod dumped;
mod ended;
mod evaluate;
mod evaluation;
mod fed;
mod finite;
mod fit_memory;
mod identity;
mod loaders;
mod loss_points;
mod matrix;
mod minimized;
mod names;
mod order;
mod plan;
mod predict;
mod processed;
mod processor;
mod profile;
mod profiled;
mod program;
mod ranks;
mod recorded;
mod replay;
mod rollback;
mod sanity;
mod saving;
mod scheduled;
mod share;
mod statistics;
mod trace;
mod train;
mod train_loaders;
mod trainer;
mod update;
mod window;

pub use chosen::{LoopConfig, TrainLoop, Training};
pub use costs::{Costs, ModuleCosts};
pub use evaluate::Report;
pub use fed::{BatchRead, FedStep, fed};
pub use fit_memory::FitMemory;
pub(crate) use loaders::Loaders;
pub(crate) use names::{is_short, monitored, produced_twice};
pub(crate) use plan::{ENDLESS_EPOCH, uneven};
pub use plan::{EpochLoader, Plan, StepMode, TrainPlan, ValPlan};
pub use processor::{BatchStep, StepConfig, StepProcessor};
pub use program::{End, Program};
pub use replay::Replayed;
pub use trace::Traced;
pub use trainer::{EachMetric, Role, Trainer, TrainerInfo};
pub use window::ProfileWindow;
