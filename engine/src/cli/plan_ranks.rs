//! `plan --ranks`: a training in several processes, without starting one.

use crate::base::Result;
use crate::cli::out;
use crate::trainer::{Build, Experiment, PlannedLoader, RanksPlan, plan_of_ranks};

/// Prints what each rank reads, how long the training is, its learning rates, its checkpoints, and what it needs.
pub(super) fn print<T: Build>(experiment: Experiment<T>, ranks: usize) -> Result<()> {
    lines(&plan_of_ranks(experiment, ranks)?).into_iter().try_for_each(out::line)
}

fn lines(plan: &RanksPlan) -> Vec<String> {
    let ranks = plan.ranks as u64;
    let mut lines = vec![format!("{ranks} {}", if ranks == 1 { "rank" } else { "ranks" }), "loaders".to_owned()];
    lines.extend(plan.loaders.iter().map(|loader| told_of_loader(loader, ranks)));
    lines.push("length".to_owned());
    lines.push(match plan.iters_per_epoch {
        0 => format!("  {} iters", plan.iters),
        each => format!("  {} iters, {each} in an epoch", plan.iters),
    });
    lines.push("learning rates, by iter".to_owned());
    for scaled in &plan.scaled {
        lines.push(format!("  {}: {} times those of the file (`scale_lr`)", scaled.optimizer, scaled.factor));
    }
    for (name, rates) in &plan.lr {
        let rates: Vec<String> = rates.iter().map(|(iter, rate)| format!("{iter}: {}", short(*rate))).collect();
        lines.push(format!("  {name}  {}", rates.join(", ")));
    }
    lines.push("checkpoints".to_owned());
    lines.push(match plan.checkpoints {
        None => "  none: the hook is off".to_owned(),
        Some(planned) => format!(
            "  {} at intervals, of about {} each; the newest {} stay",
            planned.regular,
            size(planned.bytes),
            planned.keep
        ),
    });
    let memory = plan.memory;
    lines.push("memory of each rank, without activations".to_owned());
    for (what, bytes) in
        [("weights", memory.weights), ("gradients", memory.gradients), ("optimizers", memory.optimizers)]
    {
        lines.push(format!("  {what:<10} {}", size(bytes)));
    }
    lines
}

fn told_of_loader(loader: &PlannedLoader, ranks: u64) -> String {
    let PlannedLoader { name, batch, batches, tail } = loader;
    let mut line = format!("  {name}: batches of {batch} samples, {} on each rank", batch / ranks);
    match batches {
        None => line.push_str("; a pass never ends"),
        Some(batches) => line.push_str(&format!("; {batches} in a pass")),
    }
    if let Some(tail) = tail.filter(|tail| tail < batch) {
        let (least, most) = (tail / ranks, tail.div_ceil(ranks));
        let each = if least == most { most.to_string() } else { format!("{least} or {most}") };
        line.push_str(&format!(", the last of {tail}: {each} on each rank"));
    }
    line
}

/// Four digits are enough for a rate.
fn short(rate: f64) -> String {
    let text = format!("{rate:.3e}");
    text.parse::<f64>().map_or(text, |rounded| rounded.to_string())
}

/// Bytes in decimal units.
fn size(bytes: u64) -> String {
    let units = [(1_000_000_000.0, "GB"), (1_000_000.0, "MB"), (1000.0, "kB")];
    let found = units.into_iter().find(|(unit, _)| bytes as f64 >= *unit);
    found.map_or_else(|| format!("{bytes} B"), |(unit, name)| format!("{:.1} {name}", bytes as f64 / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_told_with_what_ranks_have_of_it() {
        let of =
            |tail| told_of_loader(&PlannedLoader { name: "train", batch: 64, batches: Some(3), tail: Some(tail) }, 4);
        assert_eq!(of(64), "  train: batches of 64 samples, 16 on each rank; 3 in a pass");
        assert!(of(10).ends_with(", the last of 10: 2 or 3 on each rank"), "{}", of(10));
        assert!(of(8).ends_with(", the last of 8: 2 on each rank"), "{}", of(8));
    }

    #[test]
    fn sizes_and_rates_are_short() {
        assert_eq!([12, 1500, 2_340_000, 7_000_000_000].map(size), ["12 B", "1.5 kB", "2.3 MB", "7.0 GB"]);
        assert_eq!([0.1, 0.000_123_456, 0.0].map(short), ["0.1", "0.0001235", "0"]);
    }
}
