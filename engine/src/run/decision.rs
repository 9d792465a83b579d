//! What the loop has decided. Hooks and steps write [`Requests`]; the loop turns them into a decision at its safe
//! points, in one place, so that all ranks of a group can come to the same one.

use crate::run::{Caller, Requests, RollBack, Save, Signal, TimeLimit};
use std::fmt;

/// What the loop has decided so far, and what it still has to do at this safe point.
#[derive(Debug, Default)]
pub struct Decision {
    /// Why the training ends before its plan. It stays until the run is over.
    pub(crate) stop: Option<Stop>,
    /// Why the training itself has ended before its plan: the first request to stop it. A signal or a limit, which
    /// interrupt a run, do not replace it, and a checkpoint holds it.
    pub(crate) ended: Option<Stop>,
    /// Whether a validation was asked for.
    pub(crate) validate: bool,
    /// The checkpoints that were asked for.
    pub(crate) saves: Vec<Save>,
    /// The earlier state to which the training goes back.
    pub(crate) roll_back: Option<RollBack>,
    /// Whether the state is to be kept in memory.
    pub(crate) keep: bool,
    /// Whether no iter follows the one that is under way, by the plan.
    pub(crate) last_iter: bool,
    /// The updates that this run makes at most, by its plan and its limit; `None` before the first.
    pub(crate) last_planned: Option<u64>,
    /// Whether no epoch follows the one that is under way, by the plan.
    pub(crate) last_epoch: bool,
}

/// Why the training ends before its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The kind of the reason.
    pub kind: StopKind,
    /// Who requested it: the name of a hook or a step, `--max-iters`, or the name of a signal.
    pub by: String,
    /// The reason, as given with the request.
    pub reason: String,
}

/// The kinds of reasons that end a training before its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopKind {
    /// A hook or a step requested it. The training has ended; a resumed run does not continue it by itself.
    Requested,
    /// The limit of this run in iters, which is not part of the plan: a resumed run continues.
    Limit,
    /// The time of this run is up: a resumed run continues.
    Time,
    /// The process received a signal to end: a resumed run continues.
    Signal(Signal),
}

impl Stop {
    /// The limit of this many iters is reached.
    pub(crate) fn at_limit(iters: u64) -> Self {
        Stop { kind: StopKind::Limit, by: "--max-iters".to_owned(), reason: format!("the limit of {iters} iters") }
    }

    /// The time is up.
    pub(crate) fn at_time(limit: &TimeLimit) -> Self {
        Stop { kind: StopKind::Time, by: limit.by.to_owned(), reason: limit.told.clone() }
    }

    /// A signal has come.
    pub(crate) fn by_signal(signal: Signal) -> Self {
        Stop { kind: StopKind::Signal(signal), by: signal.to_string(), reason: format!("the process got {signal}") }
    }

    /// The signal, when it is one.
    pub fn signal(&self) -> Option<Signal> {
        match self.kind {
            StopKind::Signal(signal) => Some(signal),
            StopKind::Requested | StopKind::Limit | StopKind::Time => None,
        }
    }
}

/// As it is printed: "`EarlyStopping`: `val/loss` has reached 0.1", "the limit of 100 iters", "SIGTERM".
impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StopKind::Requested => write!(f, "`{}`: {}", self.by, self.reason),
            StopKind::Limit | StopKind::Time => f.write_str(&self.reason),
            StopKind::Signal(signal) => write!(f, "{signal}"),
        }
    }
}

impl Decision {
    /// Decides what was requested, except for the update, which has a decision of its own. The first reason to stop
    /// stays; `limit` is the one that holds when nobody has asked.
    pub(crate) fn take(
        &mut self,
        requests: &mut Requests,
        limit: Option<Stop>,
        name_of: impl FnOnce(Caller) -> String,
    ) {
        if let Some(roll_back) = requests.roll_back.take() {
            self.roll_back.get_or_insert(roll_back);
        }
        if self.roll_back.is_some() {
            // whatever else was asked for comes from a state that is undone
            *requests = Requests::default();
            self.drop_what_is_left();
            return;
        }
        self.keep |= std::mem::take(&mut requests.keep);
        self.validate |= std::mem::take(&mut requests.validate);
        for save in requests.saves.drain(..) {
            if !self.saves.contains(&save) {
                self.saves.push(save);
            }
        }
        let requested = requests.stop.take().filter(|_| self.ended.is_none());
        let requested = requested.map(|request| Stop {
            kind: StopKind::Requested,
            by: name_of(request.by),
            reason: request.reason,
        });
        if self.ended.is_none() {
            self.ended.clone_from(&requested);
        }
        if self.stop.is_none() {
            self.stop = requested.or(limit);
        }
    }

    /// Whether a limit has cut the training in two: what is done from here on only to show it is no part of it.
    pub(crate) fn is_cut(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| matches!(stop.kind, StopKind::Limit | StopKind::Time))
    }

    /// Whether the time of the run is up: it is saved, and nothing else is done.
    pub(crate) fn is_time_up(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.kind == StopKind::Time)
    }

    /// Decides about a signal: it ends the run, whatever else would. True when that is news.
    pub(crate) fn take_signal(&mut self, signal: Option<Signal>) -> bool {
        match signal.filter(|_| self.signal().is_none()) {
            Some(signal) => {
                self.stop = Some(Stop::by_signal(signal));
                true
            }
            None => false,
        }
    }

    /// The signal that ends the training, once that is decided.
    pub(crate) fn signal(&self) -> Option<Signal> {
        self.stop.as_ref().and_then(Stop::signal)
    }

    /// Forgets what is left to do: after a failure nothing is written that was asked for before it.
    pub(crate) fn drop_what_is_left(&mut self) {
        self.validate = false;
        self.keep = false;
        self.saves.clear();
    }

    /// Forgets a stop that was decided because of a state that is undone. A signal and the end of the time stay.
    pub(crate) fn forget_stop(&mut self) {
        self.ended = None;
        self.stop.take_if(|stop| matches!(stop.kind, StopKind::Requested | StopKind::Limit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Batch, Epoch, Iter};
    use crate::phase::Phase;
    use crate::run::requests::StopRequest;

    fn asking(reason: &str) -> Requests {
        let by = Caller::Hook(Phase::AfterTrainIter, 1);
        Requests { stop: Some(StopRequest { by, reason: reason.to_owned() }), ..Requests::default() }
    }

    fn decide(decision: &mut Decision, mut requests: Requests, limit: Option<Stop>) {
        decision.take(&mut requests, limit, |_| "guard".to_owned());
    }

    #[test]
    fn the_first_reason_stays_and_says_who_asked() {
        let mut decision = Decision::default();
        decide(&mut decision, asking("enough"), Some(Stop::at_limit(3)));
        decide(&mut decision, asking("not this one"), None);
        let stop = decision.stop.unwrap();
        assert_eq!((stop.by.as_str(), stop.reason.as_str(), stop.kind), ("guard", "enough", StopKind::Requested));
    }

    #[test]
    fn a_signal_replaces_every_other_reason_and_is_news_once() {
        let mut decision = Decision::default();
        decide(&mut decision, asking("enough"), None);
        assert!(decision.take_signal(Some(Signal::Terminate)));
        assert!(!decision.take_signal(Some(Signal::Interrupt)));
        decide(&mut decision, asking("too late"), None);
        assert_eq!(decision.signal(), Some(Signal::Terminate));
    }

    #[test]
    fn a_request_that_comes_with_a_limit_or_a_signal_still_ends_the_training() {
        let mut decision = Decision::default();
        decide(&mut decision, Requests::default(), Some(Stop::at_limit(3)));
        decide(&mut decision, asking("enough"), None);
        assert!(decision.take_signal(Some(Signal::Terminate)));
        assert_eq!(decision.ended.unwrap().reason, "enough");
        assert!(matches!(decision.stop.unwrap().kind, StopKind::Signal(_)));
    }

    #[test]
    fn going_back_drops_what_was_asked_for_in_the_state_that_is_undone() {
        let roll_back = RollBack {
            iter: Iter(7),
            back: 2,
            epoch: Epoch(0),
            batch: Batch(7),
            lr_factor: 1.0,
            at_most: 3,
            reason: "the loss is NaN".to_owned(),
        };
        let mut decision = Decision::default();
        let requests = Requests { roll_back: Some(roll_back.clone()), validate: true, ..asking("NaN") };
        decide(&mut decision, requests, Some(Stop::at_limit(7)));
        assert_eq!(decision.roll_back, Some(roll_back));
        assert!(decision.stop.is_none() && decision.ended.is_none() && !decision.validate);
    }

    #[test]
    fn what_is_asked_for_twice_is_done_once() {
        let mut decision = Decision::default();
        let save = Save { name: "best".to_owned(), latest: false };
        for _ in 0..2 {
            let requests = Requests { saves: vec![save.clone()], validate: true, ..Requests::default() };
            decide(&mut decision, requests, None);
        }
        assert_eq!(decision.saves, [save]);
        assert!(decision.validate);
    }
}
