//! `plan`: the passes of an iter, the parameter groups of the optimizers, and which hooks each phase calls.

use crate::base::{Clock, Priority, Result};
use crate::hook::{Planned, Slots};
use crate::hooks::DefaultHooks;
use crate::loops::{EpochLoader, Role};
use crate::optim::PassPlan;
use crate::phase::Phase;
use crate::trainer::run::{Program, build};
use crate::trainer::{Build, DeviceChoice, EngineHooksOf, Experiment};

/// One hook of a phase, as `plan` tells it.
#[derive(Clone, Debug)]
pub struct PlannedHook {
    /// The field's or component's name.
    pub name: String,
    /// The level that counts.
    pub level: Priority,
    /// Where it comes from, what the file has changed, and whether it is left out on the way out of a failure.
    pub origin: String,
}

/// What an optimizer updates by the same settings, as `plan` tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedGroup {
    /// The field of the optimizer.
    pub optimizer: String,
    /// The pattern of the file; `default` for the parameters that no pattern took.
    pub name: String,
    /// How many tensors.
    pub tensors: usize,
    /// How many of them are frozen from the start.
    pub frozen: usize,
    /// The initial value of each setting: `lr`, `weight_decay`, ….
    pub settings: Vec<(&'static str, f64)>,
}

/// A pass, as `plan` tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedPass {
    /// How often it takes its turn, and on which batches.
    pub plan: PassPlan,
    /// The optimizers that it steps: the names of their fields.
    pub optimizers: Vec<&'static str>,
}

/// What a program does with an experiment.
#[derive(Clone, Debug)]
pub struct ProgramPlan {
    /// What an iter takes of several train loaders, in words; `None` for a trainer with one.
    pub joined: Option<String>,
    /// The passes of an iter, in order; none for a trainer without `#[passes]`.
    pub passes: Vec<PlannedPass>,
    /// The parameter groups of all optimizers.
    pub groups: Vec<PlannedGroup>,
    /// The hooks of every phase, in the order in which they are called.
    pub phases: Vec<(Phase, Vec<PlannedHook>)>,
}

/// What the program does with an experiment: joined train loaders, passes, parameter groups, the hooks of every phase. No data is opened, and
/// the experiment's device need not be here: everything is built on the CPU.
///
/// # Errors
/// When a part finds something wrong with its settings.
pub fn plan_of<T: Build>(experiment: Experiment<T>) -> Result<ProgramPlan> {
    let program = build(Experiment { device: DeviceChoice::Cpu, ..experiment }, &[])?;
    let plans = T::PASSES.iter().zip(program.plan.train.passes(T::PASSES));
    let passes = plans
        .filter(|(info, _)| info.section.is_some())
        .map(|(info, plan)| PlannedPass { plan, optimizers: info.optimizers.to_vec() });
    let groups = groups_of(&program);
    let phases = Phase::ALL.iter().map(|&phase| (phase, hooks_of(&program, phase)));
    let joined = joined::<T>(&program.plan.train.epoch_loader);
    Ok(ProgramPlan { joined, passes: passes.collect(), groups, phases: phases.collect() })
}

/// The parameter groups of all optimizers.
pub(super) fn groups_of<T: Build>(program: &Program<T>) -> Vec<PlannedGroup> {
    let models = &program.run.models;
    let frozen = models.iter().flat_map(|model| model.frozen().map(|name| models.full_name(model.name(), name)));
    let frozen: Vec<String> = frozen.collect();
    let optimizers = program.run.updates.optimizers().iter();
    let groups = optimizers.flat_map(|optimizer| {
        optimizer.groups().iter().map(|group| PlannedGroup {
            optimizer: optimizer.name().to_owned(),
            name: group.name().to_owned(),
            tensors: group.parameter_names().count(),
            frozen: group.parameter_names().filter(|name| frozen.iter().any(|frozen| frozen == name)).count(),
            settings: group.settings().initials().collect(),
        })
    });
    groups.collect()
}

fn joined<T: Build>(chosen: &EpochLoader) -> Option<String> {
    let several @ [_, _, ..] = T::loaders(Role::Train) else { return None };
    let epoch = match (T::CLOCK, chosen) {
        (Clock::Iter | Clock::Sample, _) => String::new(),
        (Clock::Epoch, EpochLoader::Longest) => "; the longest makes the epoch".to_owned(),
        (Clock::Epoch, EpochLoader::Shortest) => "; the shortest makes the epoch".to_owned(),
        (Clock::Epoch, EpochLoader::Named(name)) => format!("; `{name}` makes the epoch"),
    };
    Some(format!("one batch each of `{}`{epoch}", several.join("`, `")))
}

/// The hooks of a phase, in the order in which they are called.
pub(super) fn hooks_of<T: Build>(program: &Program<T>, phase: Phase) -> Vec<PlannedHook> {
    let engines = <DefaultHooks as Slots>::SLOTS.len();
    let bundled = <EngineHooksOf<T> as Slots>::SLOTS.len();
    let fields = bundled + T::SLOTS.len();
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
        if planned.only_ok {
            origin.push_str(", only when all is well");
        }
        PlannedHook { name: planned.name, level: planned.priority, origin }
    };
    program.planned(phase).into_iter().map(describe).collect()
}
