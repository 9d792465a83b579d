//! `plan`: which hooks each phase calls.

use crate::base::{Priority, Result};
use crate::hook::{Planned, Slots};
use crate::hooks::DefaultHooks;
use crate::phase::Phase;
use crate::trainer::run::build;
use crate::trainer::{Build, DeviceChoice, EngineHooksOf, Experiment};

/// One hook of a phase, as `plan` tells it.
#[derive(Clone, Debug)]
pub struct PlannedHook {
    /// The field's or component's name.
    pub name: String,
    /// The level that counts.
    pub level: Priority,
    /// Where it comes from, and what the file has changed.
    pub origin: String,
}

/// The hooks of every phase, in the order in which they are called. No data is opened, and the experiment's device
/// need not be here: everything is built on the CPU.
///
/// # Errors
/// When a part finds something wrong with its settings.
pub fn plan_of<T: Build>(experiment: Experiment<T>) -> Result<Vec<(Phase, Vec<PlannedHook>)>> {
    let engines = <DefaultHooks as Slots>::SLOTS.len();
    let bundled = <EngineHooksOf<T> as Slots>::SLOTS.len();
    let fields = bundled + T::SLOTS.len();
    let program = build(Experiment { device: DeviceChoice::Cpu, ..experiment }, &[])?;
    let describe = |planned: Planned| {
        let mut origin = match planned.slot {
            slot if slot < engines => "engine".to_owned(),
            slot if slot < bundled => format!("bundle of `{}`", T::NAME),
            slot if slot + 1 < fields => format!("field of `{}`", T::NAME),
            slot if slot < fields => "the trainer's own phases".to_owned(),
            slot => program.hooks.custom[slot - fields].origin.clone(),
        };
        if let Some(attribute) = planned.changed_from {
            origin.push_str(&format!(", `level` of the file instead of {attribute}"));
        }
        PlannedHook { name: planned.name, level: planned.priority, origin }
    };
    let phases = Phase::ALL.iter();
    Ok(phases.map(|&phase| (phase, program.planned(phase).into_iter().map(describe).collect())).collect())
}
