//! `plan`: the hooks of every phase, in the order in which they are called.

use crate::base::{Clock, Result};
use crate::cli::out;
use crate::loops::{EpochLoader, Role};
use crate::trainer::{Build, Experiment, plan_of};

/// Prints the phases that call any hook, each with its hooks, their levels and where they come from; before them what an
/// iter takes of several train loaders.
pub(super) fn print<T: Build>(experiment: Experiment<T>) -> Result<()> {
    if let several @ [_, _, ..] = T::loaders(Role::Train) {
        let epoch = match (T::CLOCK, &experiment.epoch_loader) {
            (Clock::Iter, _) => String::new(),
            (Clock::Epoch, EpochLoader::Longest) => "; the longest makes the epoch".to_owned(),
            (Clock::Epoch, EpochLoader::Shortest) => "; the shortest makes the epoch".to_owned(),
            (Clock::Epoch, EpochLoader::Named(name)) => format!("; `{name}` makes the epoch"),
        };
        out::line(format_args!("train loaders\n  one batch each of `{}`{epoch}", several.join("`, `")))?;
    }
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
