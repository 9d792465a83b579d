//! Why a training has ended, saved in its checkpoint, so that a resume does not continue it by accident.
//!
//! A signal and `--max-iters` interrupt a run and do not end the training. A training that has ended stays ended until
//! the plan is longer, the settings of the hook that stopped it have changed, or the command line says so.

use crate::base::{Saved, StateError, StateMap, StateValue};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::run::{Stop, StopKind};

/// Why a training has ended, and what would have to change.
#[derive(Debug)]
pub(super) struct Ended {
    /// Who has stopped it, and why; `None`: its plan was done.
    stop: Option<(String, String)>,
    /// The settings of who has stopped it.
    settings: String,
    max_epochs: Option<u64>,
    max_iters: Option<u64>,
}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Why the training has ended; `None` while it goes on.
    pub(super) fn ended(&self) -> Option<Ended> {
        let (max_epochs, max_iters) = (self.plan.train.max_epochs, self.plan.train.max_iters);
        match &self.run.decision.ended {
            Some(stop) => {
                let settings = self.run.settings_of(&stop.by);
                Some(Ended { stop: Some((stop.by.clone(), stop.reason.clone())), settings, max_epochs, max_iters })
            }
            None if self.run.clocks.is_finished() => {
                Some(Ended { stop: None, settings: String::new(), max_epochs, max_iters })
            }
            None => None,
        }
    }

    /// Leaves a training ended that was, unless something lets it go on; gives back what is to be told.
    pub(super) fn take_back_end(&mut self, ended: Option<Ended>) -> Option<String> {
        let Ended { stop, settings, max_epochs, max_iters } = ended?;
        let (by, reason) = stop?;
        let settings_now = self.run.settings_of(&by);
        let stop = Stop { kind: StopKind::Requested, by, reason };
        let plan = &self.plan.train;
        let ended = format!("the training was ended at {} by {stop}", self.run.clocks.iter);
        let goes_on = if plan.past_end {
            "`--continue` asks for it".to_owned()
        } else if is_longer(plan.max_epochs, max_epochs) || is_longer(plan.max_iters, max_iters) {
            "its plan is longer now".to_owned()
        } else if settings_now != settings {
            format!("the settings of `{}` have changed", stop.by)
        } else {
            let by = stop.by.clone();
            (self.run.decision.stop, self.run.decision.ended) = (Some(stop.clone()), Some(stop));
            return Some(format!(
                "{ended}; nothing is trained: a longer plan, other settings of `{by}` or `--continue` let it go on"
            ));
        };
        Some(format!("{ended}; it goes on, for {goes_on}"))
    }
}

/// Whether a limit of the plan has moved away; no limit is the farthest.
fn is_longer(now: Option<u64>, then: Option<u64>) -> bool {
    match (now, then) {
        (Some(now), Some(then)) => now > then,
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

impl Saved for Ended {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("stop", &self.stop);
        map.put("settings", &self.settings);
        map.put("max_epochs", &self.max_epochs);
        map.put("max_iters", &self.max_iters);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Ended {
            stop: map.take("stop")?,
            settings: map.take("settings")?,
            max_epochs: map.take("max_epochs")?,
            max_iters: map.take("max_iters")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_longer_when_its_limit_has_moved_away_or_is_gone() {
        assert!(is_longer(Some(4), Some(3)) && is_longer(None, Some(3)));
        assert!(!is_longer(Some(3), Some(3)) && !is_longer(Some(2), Some(3)));
        assert!(!is_longer(Some(9), None) && !is_longer(None, None));
    }
}
