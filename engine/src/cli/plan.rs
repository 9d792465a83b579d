//! `plan`: the passes of an iter, the parameter groups, and the hooks of every phase in the order in which they are called.

use crate::base::Result;
use crate::cli::out;
use crate::optim::{Clip, ClipTogether, PassBatches};
use crate::trainer::{Build, Experiment, PlannedGroup, PlannedHook, PlannedPass, plan_of};

/// Prints what there is of several train loaders, passes and parameter groups, then the phases that call any hook.
pub(super) fn print<T: Build>(experiment: Experiment<T>) -> Result<()> {
    let plan = plan_of(experiment)?;
    if let Some(joined) = &plan.joined {
        out::line(format_args!("train loaders\n  {joined}"))?;
    }
    print_passes(&plan.passes)?;
    print_groups(&plan.groups)?;
    let width = widest(plan.phases.iter().flat_map(|(_, hooks)| hooks.iter().map(|hook| hook.name.as_str())));
    for (phase, hooks) in plan.phases.iter().filter(|(_, hooks)| !hooks.is_empty()) {
        out::line(phase)?;
        hooks.iter().try_for_each(|hook| print_hook(hook, width))?;
    }
    Ok(())
}

fn print_passes(passes: &[PlannedPass]) -> Result<()> {
    if passes.is_empty() {
        return Ok(());
    }
    out::line("passes of an iter")?;
    let width = widest(passes.iter().map(|pass| pass.plan.name));
    for PlannedPass { plan, optimizers } in passes {
        let updates = if plan.times == 1 { "update" } else { "updates" };
        let mut line = format!("  {:<width$}  {} {updates} of {}", plan.name, plan.times, optimizers.join(", "));
        if plan.every > 1 {
            line.push_str(&format!(" in the iters {0}, {1}, {2}, …", plan.every, 2 * plan.every, 3 * plan.every));
        }
        line.push_str(match plan.batches {
            PassBatches::Fresh => ", fresh batches",
            PassBatches::Same => ", the batches that were read last",
        });
        if plan.accumulate > 1 {
            line.push_str(&format!(", {} for each update", plan.accumulate));
        }
        match plan.clip {
            Some(Clip::Norm(norm)) => line.push_str(&format!(", gradient norm at most {norm}")),
            Some(Clip::Value(value)) => line.push_str(&format!(", gradient elements at most {value}")),
            Some(Clip::Norms { max, p, of }) => {
                let of = match of {
                    ClipTogether::All => "",
                    ClipTogether::Optimizer => " of each optimizer",
                    ClipTogether::Group => " of each group",
                    ClipTogether::Parameter => " of each parameter",
                };
                line.push_str(&format!(", gradient {p}-norm{of} at most {max}"));
            }
            Some(Clip::Adaptive { factor, .. }) => {
                line.push_str(&format!(", gradient norm of each output at most {factor} of its weights"));
            }
            None => {}
        }
        out::line(line)?;
    }
    Ok(())
}

fn print_groups(groups: &[PlannedGroup]) -> Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    out::line("parameter groups")?;
    let optimizers = widest(groups.iter().map(|group| group.optimizer.as_str()));
    let names = widest(groups.iter().map(|group| group.name.as_str()));
    for group in groups {
        let settings = group.settings.iter().filter(|(name, _)| matches!(*name, "lr" | "weight_decay"));
        let settings: Vec<String> = settings.map(|(name, value)| format!("{name} {value}")).collect();
        let frozen = if group.frozen > 0 { format!(" ({} frozen)", group.frozen) } else { String::new() };
        let tensors = if group.tensors == 1 { "tensor" } else { "tensors" };
        out::line(format_args!(
            "  {:<optimizers$}  {:<names$}  {} {tensors}{frozen}, {}",
            group.optimizer,
            group.name,
            group.tensors,
            settings.join(", ")
        ))?;
    }
    Ok(())
}

fn print_hook(hook: &PlannedHook, width: usize) -> Result<()> {
    let level = hook.level.name().unwrap_or("");
    out::line(format_args!("  {:>3} {level:<7}  {:<width$}  {}", hook.level.get(), hook.name, hook.origin))
}

fn widest<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    words.map(str::len).max().unwrap_or(0)
}
