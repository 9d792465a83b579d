//! Hooks: the traits of hooks and steps, and how a phase calls its hooks.

mod dispatch;
mod habits;
mod hook;
mod own_phases;
mod passes;
mod set;
mod setting;
mod slots;
mod steps;
mod train_step;

pub use dispatch::{CustomHook, Dispatcher, Planned, SlotSetting};
pub use hook::{AllPhasesInOneBlock, AnyHook, Hook, HookConfig, HookField, Phases, PhasesOwner, build_any, is_well};
pub use own_phases::{NoPhases, PhasesOf};
pub use passes::{ConstText, HasOptimizers, PassBatch, is_one_of, is_stepped, no_such_pass, pass_of};
pub use set::{BuildHooks, HookSet, ReadHooks, WriteHooks};
pub use setting::HookSetting;
pub use slots::{EachState, EngineHooks, Joined, MAX_SLOTS, SlotInfo, Slots};
pub use steps::{Batches, PredictStep, Steps, TestStep, ValStep};
pub use train_step::{AllPassesInOneBlock, NoSteps, StepsOf, TrainStep};
