//! `summary`: parameters, operations and memory of an experiment.

use crate::base::Result;
use crate::cli::checkpoints::text::bytes;
use crate::cli::out;
use crate::loops::Costs;
use crate::trainer::{Build, Experiment, run_costs};

/// Computes one update and prints what it costs.
pub(super) fn print<T: Build>(experiment: Experiment<T>) -> Result<()> {
    let costs = run_costs(experiment)?;
    print_modules(&costs)?;
    let Costs { samples, forward, backward, .. } = &costs;
    let per_sample = |flops: u64| operations(flops / (*samples).max(1) as u64);
    let of = format!("of a batch of {samples} sample{}", if *samples == 1 { "" } else { "s" });
    match costs.is_mixed {
        true => {
            let all = forward + backward;
            out::line(format_args!("forward and backward {of}: {}, {} a sample", operations(all), per_sample(all)))?;
            out::line("a step calls backward itself, so the two are counted together, by module too")?;
        }
        false => {
            out::line(format_args!("forward {of}: {}, {} a sample", operations(*forward), per_sample(*forward)))?;
            out::line(format_args!("backward: {}, {} a sample", operations(*backward), per_sample(*backward)))?;
        }
    }
    let Costs { weights, gradients, optimizers, .. } = costs;
    out::line(format_args!(
        "memory: weights {}, gradients {}, optimizers {}; activations come on top",
        bytes(weights),
        bytes(gradients),
        bytes(optimizers)
    ))
}

fn print_modules(costs: &Costs) -> Result<()> {
    let names = costs.modules.iter().map(|module| module.name.as_str());
    let names = names.chain(costs.others.iter().map(|(name, _)| name.as_str())).chain(["module", "total"]);
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let line = |name: &str, parameters: &str, trained: &str, forward: &str| {
        out::line(format_args!("{name:<width$}  {parameters:>14}  {trained:>14}  {forward:>14}"))
    };
    line("module", "parameters", "trained", "forward")?;
    for module in &costs.modules {
        let [parameters, trained] = [module.parameters, module.trained].map(|count| count.to_string());
        line(&module.name, &parameters, &trained, &operations(module.forward))?;
    }
    for (name, flops) in &costs.others {
        line(name, "", "", &operations(*flops))?;
    }
    let sum = |of: fn(&crate::loops::ModuleCosts) -> u64| costs.modules.iter().map(of).sum::<u64>().to_string();
    line("total", &sum(|module| module.parameters), &sum(|module| module.trained), &operations(costs.forward))
}

/// `1.23 GFLOP`: floating point operations, in powers of ten.
fn operations(count: u64) -> String {
    const UNITS: [&str; 5] = ["k", "M", "G", "T", "P"];
    if count < 1000 {
        return format!("{count} FLOP");
    }
    let (mut value, mut unit) = (count as f64, "");
    for next in UNITS {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    format!("{value:.2} {unit}FLOP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_in_powers_of_ten() {
        let cases = [(0, "0 FLOP"), (999, "999 FLOP"), (1234, "1.23 kFLOP"), (2_500_000_000, "2.50 GFLOP")];
        for (count, text) in cases {
            assert_eq!(operations(count), text);
        }
    }
}
