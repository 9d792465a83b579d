//! Optimizers, parameter groups, clipping and schedules.
//!
//! An experiment file contains a *recipe* ([`Adam`], [`AdamW`], [`Sgd`], any [`Optimizer`]); together with parameters
//! it becomes an [`Optim`]. Settings belong to groups, have names, and change only through [`Settings::set`]. A
//! schedule is a pure function of the clock, so it has no state to save.
//!
//! Nothing here reads a value from a device: norms are returned as tensors that the caller may read.

mod algorithm;
mod clip;
mod error;
mod foreach;
mod groups;
mod habits;
mod layer_decay;
mod lbfgs;
mod live;
mod minimize;
mod minimizer;
mod one_vector;
mod optimizer;
mod rate;
mod recipes;
mod recorded;
mod saved;
mod saved_whole;
pub mod schedule;
mod settings;
#[cfg(test)]
mod tests;
pub mod update;

pub use algorithm::{Algorithm, Slot, SlotShape, StepInputs};
pub use clip::{Clip, ClipTogether, clip_gradients};
pub use error::OptimError;
pub use groups::{GroupName, GroupRule, GroupRules};
#[doc(hidden)]
pub use habits::LoopCalls;
pub use layer_decay::LayerDecay;
pub use lbfgs::{Lbfgs, LineSearch};
pub use live::{Group, Optim};
pub use minimizer::{Minimizer, Objective};
pub use optimizer::{Optimizer, OptimizerConfig};
pub use recipes::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Lamb, Lars, Lion, Muon, MuonRate, NAdam, RAdam, RmsProp, Rprop,
    Sgd,
};
pub use schedule::{PlannedLength, SampleClock, Schedule, ScheduleConfig, Schedules, TrainingLength, TrainingProgress};
pub use settings::{Setting, Settings};
pub use update::{GradientScale, NonFinite, Pass, PassBatches, PassInfo, PassPlan, PassSettings, Precision, Updates};
