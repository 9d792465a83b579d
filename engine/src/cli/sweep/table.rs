//! The results of a sweep as text.

use crate::cli::sweep::file::Sweep;
use crate::cli::sweep::halving::Halve;
use crate::cli::sweep::journal::{End, Trial, name_of};
use crate::config::print_line;
use crate::metric::Better;

/// Longer values are cut, so that a line of the table stays one.
const WIDEST: usize = 40;

/// The line that tells of the end of a trial.
pub(super) fn ended(sweep: &Sweep, trials: &[Trial], number: usize) -> String {
    let done = trials.iter().filter(|trial| trial.end.is_some()).count();
    let head = format!("trial {} ({done} of {})", name_of(number), sweep.trials);
    let settings = settings(sweep, &trials[number]).join(" ");
    match &trials[number].end {
        Some(End::Value(value)) => {
            let best = best(sweep, trials).map(|best| match best == number {
                true => "the best so far".to_owned(),
                false => format!("best so far: {}", name_of(best)),
            });
            format!("{head}: {} = {value:.6} ({})  {settings}", sweep.watch, best.unwrap_or_default())
        }
        Some(End::Failed(why)) => format!("{head}: failed: {why}  {settings}"),
        None => format!("{head}: running  {settings}"),
    }
}

/// The line that tells that a trial has stopped at a rung.
pub(super) fn paused(sweep: &Sweep, trials: &[Trial], number: usize, iters: u64) -> String {
    let trial = &trials[number];
    let there = trials.iter().filter(|other| other.value_at(trial.rungs.len().saturating_sub(1)).is_some()).count();
    let (settings, value) = (settings(sweep, trial).join(" "), trial.value().unwrap_or(f64::NAN));
    format!(
        "trial {} waits at iter {iters}: {} = {value:.6} ({there} have come so far)  {settings}",
        name_of(number),
        sweep.watch
    )
}

/// How far a trial has come that is trained in parts.
fn length(halve: &Halve, trial: &Trial) -> String {
    match (&trial.end, trial.rungs.len().checked_sub(1).and_then(|rung| halve.stop_after(rung))) {
        (Some(End::Value(_)), _) => "all".to_owned(),
        (_, Some(iters)) => iters.to_string(),
        (_, None) => "-".to_owned(),
    }
}

/// The number of the best trial; of two equal ones the first.
pub(super) fn best(sweep: &Sweep, trials: &[Trial]) -> Option<usize> {
    let values = trials.iter().enumerate().filter_map(|(number, trial)| Some((number, trial.value()?)));
    let better =
        |best: (usize, f64), next: (usize, f64)| if sweep.better.is_better(next.1, best.1, 0.0) { next } else { best };
    values.reduce(better).map(|(number, _)| number)
}

/// All trials, the best first; those without a value at the end.
pub(super) fn all(sweep: &Sweep, trials: &[Trial]) -> String {
    let mut order: Vec<usize> = (0..trials.len()).collect();
    let value = |number: usize| trials[number].value();
    order.sort_by(|one, other| match (value(*one), value(*other)) {
        (Some(one), Some(other)) if sweep.better == Better::Higher => other.total_cmp(&one),
        (Some(one), Some(other)) => one.total_cmp(&other),
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
    let iters = sweep.halve.as_ref().map(|_| "iters".to_owned());
    let head = ["trial".to_owned(), sweep.watch.clone()].into_iter().chain(iters);
    let head: Vec<String> = head.chain(sweep.space.iter().map(|dimension| dimension.path.clone())).collect();
    let row = |number: usize| {
        let trial = &trials[number];
        let result = match (&trial.end, trial.value()) {
            (Some(End::Failed(_)), _) => "failed".to_owned(),
            (_, Some(value)) => format!("{value:.6}"),
            (_, None) => "unfinished".to_owned(),
        };
        let iters = sweep.halve.as_ref().map(|halve| length(halve, trial));
        [name_of(number), result].into_iter().chain(iters).chain(values(sweep, trial)).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(order.iter().map(|number| row(*number))).collect();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    let failed = trials.iter().filter(|trial| trial.has_failed()).count();
    let with_value = trials.iter().filter(|trial| trial.value().is_some()).count();
    text.push_str(&format!(
        "{} of {} trials: {with_value} with a value, {failed} failed\n",
        trials.len(),
        sweep.trials
    ));
    for (number, trial) in trials.iter().enumerate() {
        if let Some(End::Failed(why)) = &trial.end {
            text.push_str(&format!("  {} failed: {why}\n", name_of(number)));
        }
    }
    if failed > 0 {
        text.push_str("`--resume --retry-failed` tries those that have failed again\n");
    }
    text
}

/// `optimizer.lr=0.01`
fn settings(sweep: &Sweep, trial: &Trial) -> Vec<String> {
    sweep
        .space
        .iter()
        .zip(values(sweep, trial))
        .map(|(dimension, value)| format!("{}={value}", dimension.path))
        .collect()
}

fn values(sweep: &Sweep, trial: &Trial) -> Vec<String> {
    let text = |text: String| match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    let picks = sweep.space.iter().zip(&trial.picks);
    picks.map(|(dimension, pick)| text(print_line(&dimension.node(*pick)))).collect()
}
