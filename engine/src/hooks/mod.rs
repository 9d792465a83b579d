//! The built-in hooks, one a file. They use nothing that a user's hook can't use.

#[macro_use]
mod table;

mod checkpoint;
mod defaults;
mod early_stopping;
mod ema;
mod logger;
mod monitor;
mod ranking;
mod scheduler;
mod timer;

pub use checkpoint::Checkpoint;
pub(crate) use checkpoint::{BEST, best_name};
pub use defaults::{DefaultHooks, HookSettings};
pub use early_stopping::EarlyStopping;
pub use ema::{Ema, EmaBuffers, EmaKind};
pub use logger::Logger;
pub use scheduler::Scheduler;
pub use timer::Timer;
