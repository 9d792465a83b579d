//! What a search says, in words.

use crate::trainer::{LrCurve, LrEnd, LrSearch};

/// What was done.
pub(super) fn head(curve: &LrCurve, search: &LrSearch) -> String {
    let LrSearch { from, to, updates, .. } = search;
    format!(
        "the learning rate of `{}` rises from {from:e} to {to:e} over {updates} updates; the loss of `{}`, averaged over about 10 updates:",
        curve.optimizer, curve.loss_of
    )
}

/// How it has ended, and what it suggests.
pub(super) fn result(curve: &LrCurve) -> Vec<String> {
    let mut lines = Vec::new();
    let done = curve.points.len();
    let last = curve.points.last().map_or(f64::NAN, |point| point.lr);
    match curve.end {
        LrEnd::Whole => {}
        LrEnd::NotFinite if done == 0 => {
            lines.push("stopped: the first loss is not finite, so there is nothing to see".to_owned())
        }
        LrEnd::NotFinite => {
            lines.push(format!("stopped after {done} updates, at {}: the next loss is not finite", short(last)))
        }
        LrEnd::Diverged => {
            lines.push(format!(
                "stopped after {done} updates, at {}: the loss is more than 4 times its best",
                short(last)
            ));
        }
        LrEnd::Signal(signal) => {
            lines.push(format!("stopped by {signal} after {done} updates"));
            return lines;
        }
    }
    let at = |place: usize| short(curve.points[place].lr);
    match (curve.steepest(), curve.lowest()) {
        (Some(steepest), Some(lowest)) => {
            lines.push(format!("suggestion: {} (steepest descent: the loss falls fastest there)", at(steepest)));
            lines.push(format!("the loss is lowest at {}", at(lowest)));
        }
        _ => lines
            .push("no suggestion: the loss never falls; try other `--from` and `--to`, or more `--updates`".to_owned()),
    }
    lines
}

/// Three digits: `3.16e-3`.
fn short(rate: f64) -> String {
    format!("{rate:.2e}")
}
