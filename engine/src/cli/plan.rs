//! `plan`: the hooks of every phase, in the order in which they are called.

use crate::base::Result;
use crate::cli::out;
use crate::trainer::{Build, Experiment, plan_of};

/// Prints the phases that call any hook, each with its hooks, their levels and where they come from.
pub(super) fn print<T: Build>(experiment: Experiment<T>) -> Result<()> {
    let plan = plan_of(experiment)?;
    let width = plan.iter().flat_map(|(_, hooks)| hooks.iter().map(|hook| hook.name.len())).max().unwrap_or(0);
    for (phase, hooks) in plan.iter().filter(|(_, hooks)| !hooks.is_empty()) {
        out::line(phase)?;
        for hook in hooks {
            out::line(format_args!(
                "  {:>3} {:<7}  {:<width$}  {}",
                hook.level.get(),
                hook.level.name().unwrap_or(""),
                hook.name,
                hook.origin
            ))?;
        }
    }
    Ok(())
}
