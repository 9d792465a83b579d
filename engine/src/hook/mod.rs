//! Hooks: what they are, and how a phase reaches those that take part in it.

mod dispatch;
mod fields;
mod hook;
mod steps;

pub use dispatch::{Both, CustomHook, Dispatcher, EachState, EngineHooks, Planned, SlotInfo, SlotSetting, Slots};
pub use fields::{HookPart, NoPhases, PhasesOf, call_field, slot_of};
pub use hook::{AnyHook, Hook, HookConfig, HookField, Phases, build_any};
pub use steps::{Batches, PredictStep, Steps, TestStep, ValStep};
