//! The next trial of a sweep, by the rule of its file.

use crate::cli::sweep::file::Sweep;
use crate::cli::sweep::journal::Trial;
use crate::cli::sweep::space::{self, Pick};
use crate::cli::sweep::tpe;
use crate::cli::sweep::written::By;

/// What the next trial has; none when there are enough, or results that it depends on are missing.
pub(super) fn next(sweep: &Sweep, trials: &[Trial]) -> Option<Vec<Pick>> {
    let trial = trials.len();
    if trial >= sweep.trials {
        return None;
    }
    let (space, seed) = (&sweep.space, sweep.seed);
    let By::Tpe { startup, .. } = sweep.by else {
        return Some(match sweep.by {
            By::Grid => space::grid(space, trial),
            _ => space::random(space, seed, trial),
        });
    };
    // always the same trials, whichever ends first: so the same results give the same proposals
    let known = &trials[..(trial + 1).saturating_sub(sweep.parallel)];
    if known.iter().any(|trial| trial.end.is_none() && trial.rungs.is_empty()) {
        return None;
    }
    // of trials that are trained in parts, the value of the first part, which all have
    let ended = known.iter().filter_map(|trial| {
        let value = trial.first_value()?;
        Some(tpe::Known { picks: trial.picks.clone(), value })
    });
    let ended: Vec<tpe::Known> = ended.collect();
    Some(match trial < startup || ended.is_empty() {
        true => space::random(space, seed, trial),
        false => tpe::propose(space, seed, trial, &ended, sweep.better),
    })
}
