//! What a search says, in words.

use crate::trainer::{LEAST_UPDATES, LrCurve, LrEnd, LrPoint, LrSearch};

/// What was done.
pub(super) fn head(curve: &LrCurve, search: &LrSearch) -> String {
    let LrSearch { from, to, updates, .. } = search;
    let averaged = if curve.points.len() < LEAST_UPDATES { "with those before it" } else { "over about 10 updates" };
    format!(
        "the learning rate of `{}` rises from {from:e} to {to:e} over {updates} updates; the loss of `{}`, averaged {averaged}:",
        curve.optimizer, curve.loss_of
    )
}

/// How far it is.
pub(super) fn progress(done: usize, updates: u64, last: &LrPoint) -> String {
    format!("update {done} of {updates}: learning rate {}, loss {:.4}", short(last.lr), last.loss)
}

/// How it has ended, and what it suggests.
pub(super) fn result(curve: &LrCurve) -> Vec<String> {
    let mut lines = Vec::new();
    let done = curve.points.len();
    let last = curve.points.last().map_or(f64::NAN, |point| point.lr);
    match curve.end {
        LrEnd::Whole => {}
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
        _ if done < LEAST_UPDATES && curve.end == LrEnd::Whole => lines.push(format!(
            "no suggestion: fewer than {LEAST_UPDATES} updates do not show where the loss falls; `--updates` takes more, 100 by default"
        )),
        _ if done < LEAST_UPDATES => lines.push(format!(
            "no suggestion: fewer than {LEAST_UPDATES} updates do not show where the loss falls; begin with a smaller `--from`, or take more `--updates`"
        )),
        _ => lines
            .push("no suggestion: the loss never falls; try other `--from` and `--to`, or more `--updates`".to_owned()),
    }
    lines
}

/// Three digits: `3.16e-3`.
fn short(rate: f64) -> String {
    format!("{rate:.2e}")
}
