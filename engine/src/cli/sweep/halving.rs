//! `halve: Asha(rungs: [100, 300], factor: 3)`: trials are trained in parts, and only good ones go on.
//!
//! Asynchronous successive halving (Li et al., 2018, <https://arxiv.org/abs/1810.05934>): each trial is trained up to the first
//! rung and stops there. Of the trials that have come to a rung, the best of each `factor` go on to the next one; behind the
//! last rung a trial is trained to its end. Who goes on is decided whenever a process is free, by the results so far, so nobody
//! waits for others. Trials may differ in length: a rung behind the end of one is its end.

use crate::cli::sweep::journal::Trial;
use crate::config::{Diagnostic, Node};
use crate::metric::Better;
use serde::Deserialize;

/// The rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Halve {
    /// Asynchronous successive halving.
    Asha {
        /// The iters at which a trial stops, in order.
        rungs: Vec<u64>,
        /// Of so many trials at a rung, one goes on.
        #[serde(default = "three")]
        factor: usize,
    },
}

fn three() -> usize {
    3
}

impl Halve {
    /// The iter at which a trial stops that has been at so many rungs; `None`: it is trained to its end.
    pub(super) fn stop_after(&self, rungs_passed: usize) -> Option<u64> {
        let Halve::Asha { rungs, .. } = self;
        rungs.get(rungs_passed).copied()
    }

    /// The trial that goes on, and has not yet: from the highest rung on, the best one first.
    pub(super) fn promotable(&self, trials: &[Trial], better: Better) -> Option<usize> {
        let Halve::Asha { rungs, factor } = self;
        (0..rungs.len()).rev().find_map(|rung| {
            let mut there: Vec<(usize, f64)> =
                trials.iter().enumerate().filter_map(|(number, trial)| Some((number, trial.value_at(rung)?))).collect();
            // of equal ones the first
            there.sort_by(|(one, a), (other, b)| {
                let by_value = if better == Better::Higher { b.total_cmp(a) } else { a.total_cmp(b) };
                by_value.then(one.cmp(other))
            });
            let good = &there[..there.len() / factor];
            let waits = |number: &usize| trials[*number].waits_at() == Some(rung);
            good.iter().map(|(number, _)| *number).find(waits)
        })
    }

    /// What is wrong with it, where it is written. `max_iters` is the length of a training, where the base says it in iters.
    pub(super) fn mistake(&self, node: &Node, max_iters: Option<u64>) -> Option<Diagnostic> {
        let Halve::Asha { rungs, factor } = self;
        let at = |field: &str| node.get(field).map_or(node.span, |node| node.span);
        let wrong =
            |field: &str, message: String| Some(Diagnostic::new(at(field), message).at(format!("halve.{field}")));
        if *factor < 2 {
            return wrong(
                "factor",
                format!("`factor` must be at least 2, got {factor}: of so many trials one goes on"),
            );
        }
        let rises = rungs.windows(2).all(|pair| pair[0] < pair[1]);
        if rungs.is_empty() || rungs[0] == 0 || !rises {
            let message =
                "`rungs` are the iters at which trials stop, from 1 on, each larger than the one before: `[100, 300]`";
            return wrong("rungs", message.to_owned());
        }
        let last = rungs[rungs.len() - 1];
        match max_iters {
            Some(end) if last >= end => {
                wrong("rungs", format!("the rung {last} is not before the end of a training, which has {end} iters"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sweep::journal::End;

    fn trial(rungs: &[f64], promoted: usize) -> Trial {
        Trial { picks: Vec::new(), rungs: rungs.to_vec(), promoted, end: None }
    }

    #[test]
    fn of_each_three_at_a_rung_the_best_goes_on_once() {
        let asha = Halve::Asha { rungs: vec![10, 30], factor: 3 };
        let mut trials = vec![trial(&[0.5], 0), trial(&[0.7], 0)];
        assert_eq!(asha.promotable(&trials, Better::Higher), None);
        trials.push(trial(&[0.6], 0));
        assert_eq!(asha.promotable(&trials, Better::Higher), Some(1));
        assert_eq!(asha.promotable(&trials, Better::Lower), Some(0));
        trials[1].promoted = 1;
        assert_eq!(asha.promotable(&trials, Better::Higher), None);
        // one that comes later and is better than it goes on too
        trials.extend([trial(&[0.6], 0), trial(&[], 0), trial(&[0.1], 0)]);
        assert_eq!(asha.promotable(&trials, Better::Higher), None);
        trials[3].rungs[0] = 0.9;
        assert_eq!(asha.promotable(&trials, Better::Higher), Some(3));
        trials[3].promoted = 1;
        trials.push(trial(&[0.2], 0));
        assert_eq!(asha.promotable(&trials, Better::Higher), None);
        // higher rungs first
        for (number, value) in [(1, 0.8), (3, 0.91)] {
            trials[number].rungs.push(value);
        }
        trials.extend([trial(&[0.99, 0.2], 1), trial(&[0.98], 0), trial(&[0.97], 0)]);
        assert_eq!(asha.promotable(&trials, Better::Higher), Some(3));
    }

    #[test]
    fn equal_ones_go_on_in_order_and_one_that_has_ended_never_does() {
        let asha = Halve::Asha { rungs: vec![10], factor: 2 };
        let mut trials = vec![trial(&[0.5], 0), trial(&[0.5], 0)];
        assert_eq!(asha.promotable(&trials, Better::Lower), Some(0));
        trials[0].promoted = 1;
        trials[0].end = Some(End::Value(0.4));
        assert_eq!(asha.promotable(&trials, Better::Lower), None);
        assert_eq!((asha.stop_after(0), asha.stop_after(1)), (Some(10), None));
    }

    #[test]
    fn one_that_ended_before_a_rung_is_compared_by_its_end() {
        let asha = Halve::Asha { rungs: vec![10, 20], factor: 2 };
        let mut trials = vec![trial(&[], 0), trial(&[0.5], 0)];
        assert_eq!(asha.promotable(&trials, Better::Lower), None);
        trials[0].end = Some(End::Value(0.6));
        assert_eq!(asha.promotable(&trials, Better::Lower), Some(1));
        // which is the better of the two, and has no further to go
        trials[0].end = Some(End::Value(0.4));
        assert_eq!(asha.promotable(&trials, Better::Lower), None);
    }
}
