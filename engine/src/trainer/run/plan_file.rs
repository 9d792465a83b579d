//! `plan.json` of a training.

use crate::base::{Clock, ErrorContext as _, Result};
use crate::folder::{PlannedCall, PlannedCalls, PlannedSettings, RunFolder, RunPlan, write_atomic};
use crate::optim::{GroupName, Settings};
use crate::phase::Phase;
use crate::trainer::Build;
use crate::trainer::run::Program;
use crate::trainer::run::plan::{groups_of, hooks_of};
use crate::trainer::run::scheduled_values::{moments, values};

/// Moments of a curve: a picture needs no more.
const MOMENTS: u64 = 200;

/// Writes it into the run's folder.
///
/// # Errors
/// When it can't be written.
pub(super) fn write<T: Build>(program: &mut Program<T>) -> Result<()> {
    let Some(path) = program.run.storage.folder.as_ref().map(RunFolder::plan) else { return Ok(()) };
    let text = serde_json::to_vec(&plan_of(program)?).context("the plan of the training can't be written as JSON")?;
    Ok(write_atomic(&path, &text)?)
}

fn plan_of<T: Build>(program: &mut Program<T>) -> Result<RunPlan> {
    let adjustable = program.adjustable()?;
    let program = &*program;
    let planned = program.run.clocks.progress().planned;
    let moments = moments(program, MOMENTS);
    let finite = |value: f64| value.is_finite().then_some(value);
    let values = |setting: &str, names: &[&str], name: GroupName<'_>, initial: f64| -> Result<_> {
        let values = values(program, names, name, initial, &moments)?.unwrap_or_else(|| vec![initial]);
        Ok((setting.to_owned(), values.into_iter().map(finite).collect()))
    };
    let groups = groups_of(program).into_iter().map(|group| {
        let name = GroupName { optimizer: &group.optimizer, group: &group.name };
        let all = Settings::new(group.settings.iter().copied());
        let settings = group.settings.iter().map(|(setting, initial)| {
            values(setting, &program.run.updates.schedules.names_of(setting, &all), name, *initial)
        });
        let settings = settings.collect::<Result<_>>()?;
        Ok(PlannedSettings { name: name.to_string(), tensors: group.tensors, frozen: group.frozen, settings })
    });
    let nobody = GroupName { optimizer: "", group: "" };
    let parts = adjustable.iter().map(|(path, initial)| values(path, &[path], nobody, *initial));
    let phases = Phase::ALL.iter().filter_map(|&phase| {
        let hooks = hooks_of(program, phase).into_iter();
        let hooks: Vec<PlannedCall> =
            hooks.map(|hook| PlannedCall { name: hook.name, level: hook.level.get(), origin: hook.origin }).collect();
        (!hooks.is_empty()).then(|| PlannedCalls { phase: phase.to_string(), hooks })
    });
    Ok(RunPlan {
        max_iters: planned.max_iters,
        max_epochs: (T::CLOCK == Clock::Epoch).then_some(planned.max_epochs),
        groups: groups.collect::<Result<_>>()?,
        parts: parts.collect::<Result<_>>()?,
        phases: phases.collect(),
        moments: moments.into_iter().map(|(iter, _)| iter).collect(),
    })
}
