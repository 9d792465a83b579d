//! The built-in hooks, one per file. They use only what a user's hook can use too.

#[macro_use]
mod table;

mod activation_statistics;
mod anomaly;
mod checkpoint;
mod defaults;
mod device_memory;
mod early_stopping;
mod ema;
mod empty_cache;
mod freeze;
mod gradient_check;
mod logger;
mod mean_teacher;
mod mfu;
mod monitor;
mod parameter_statistics;
mod ranking;
mod rollback;
mod scheduler;
mod timer;

pub use activation_statistics::ActivationStatistics;
pub use anomaly::Anomaly;
pub use checkpoint::Checkpoint;
pub(crate) use checkpoint::{BEST, best_name};
pub use defaults::{DefaultHooks, HookSettings};
pub use device_memory::DeviceMemory;
pub use early_stopping::EarlyStopping;
pub use ema::{Ema, EmaBuffers, EmaKind};
pub use empty_cache::EmptyCache;
pub use freeze::Freeze;
pub use gradient_check::GradientCheck;
pub use logger::Logger;
pub use mean_teacher::MeanTeacher;
pub use mfu::Mfu;
pub use parameter_statistics::ParameterStatistics;
pub use rollback::Rollback;
pub use scheduler::Scheduler;
pub use timer::Timer;
