//! Hooks: what they are, what they see of a run, and how a phase reaches those that take part in it.

mod clocks;
mod context;
mod dispatch;
mod fields;
mod flow;
mod hook;
mod run_state;
mod slots;
mod steps;

pub use clocks::Clocks;
pub use context::Context;
pub use dispatch::{CustomHook, Dispatcher, Planned, SlotSetting};
pub use fields::{HookPart, NoPhases, PhasesOf, call_field, slot_of};
pub use flow::{Exception, Flow, Save, Signal, Stop};
pub use hook::{AnyHook, Hook, HookConfig, HookField, Phases, build_any};
pub use run_state::{Results, RunState};
pub use slots::{EachState, EngineHooks, Joined, MAX_SLOTS, SlotInfo, Slots};
pub use steps::{Batches, PredictStep, Steps, TestStep, ValStep};
