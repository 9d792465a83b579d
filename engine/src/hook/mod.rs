//! Hooks: what they are, what they see of a run, and how a phase reaches those that take part in it.

mod clocks;
mod context;
mod dispatch;
mod fields;
mod flow;
mod hook;
mod run_state;
mod steps;

pub use clocks::Clocks;
pub use context::Context;
pub use dispatch::{Both, CustomHook, Dispatcher, EachState, EngineHooks, Planned, SlotInfo, SlotSetting, Slots};
pub use fields::{HookPart, NoPhases, PhasesOf, call_field, slot_of};
pub use flow::{Exception, Flow, Save, Signal, Stop};
pub use hook::{AnyHook, Hook, HookConfig, HookField, Phases, build_any};
pub use run_state::{Results, RunState};
pub use steps::{Batches, PredictStep, Steps, TestStep, ValStep};
