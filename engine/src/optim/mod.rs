//! Optimizers, parameter groups, clipping and schedules.
//!
//! An experiment file contains a *recipe* ([`Adam`], [`AdamW`], [`Sgd`], any [`Optimizer`]); together with parameters
//! it becomes an [`Optim`]. Settings belong to groups, have names, and change only through [`Settings::set`]. A
//! schedule is a pure function of the clock, so it has no state to save.
//!
//! Nothing here reads a value from a device: norms are returned as tensors that the caller may read.

mod adam;
mod adamw;
mod algorithm;
mod clip;
mod error;
mod groups;
mod live;
mod optimizer;
mod rate;
mod recorded;
mod saved;
pub mod schedule;
mod settings;
mod sgd;
#[cfg(test)]
mod tests;
pub mod update;

pub use adam::Adam;
pub use adamw::AdamW;
pub use algorithm::{Algorithm, Slot, SlotShape, StepInputs};
pub use clip::Clip;
pub use error::OptimError;
pub use groups::{GroupName, GroupRule, GroupRules};
pub use live::{Group, Optim, clip_gradients};
pub use optimizer::{Optimizer, OptimizerConfig};
pub use schedule::{PlannedLength, Schedule, ScheduleConfig, Schedules, TrainingLength, TrainingProgress};
pub use settings::{Setting, Settings};
pub use sgd::Sgd;
pub use update::{GradientScale, NonFinite, Pass, PassBatches, PassInfo, PassPlan, PassSettings, Precision, Updates};
