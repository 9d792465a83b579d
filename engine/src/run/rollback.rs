//! Going back to an earlier state within a training.

use crate::base::{Batch, Epoch, Iter, Saved, StateError, StateMap, StateValue};
use crate::run::Clocks;
use serde::{Deserialize, Serialize};

/// A request to go back to the state before an iter in which something went wrong, and to skip the batches that led
/// there. See [`Context::roll_back`](crate::run::Context::roll_back).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollBack {
    /// The iter in which it went wrong: the value of [`Context::iter`](crate::run::Context::iter) in its `after_train_iter`.
    pub iter: Iter,
    /// How many iters before it are undone too.
    pub back: u64,
    /// The value of [`Clocks::epoch`](crate::run::Clocks::epoch) in its `after_train_iter`.
    pub epoch: Epoch,
    /// The value of [`Clocks::batch`](crate::run::Clocks::batch) in its `after_train_iter`. The batches of the undone iters up
    /// to this one are skipped.
    pub batch: Batch,
    /// Every learning rate is multiplied by this from there on; 1 leaves them as they are.
    pub lr_factor: f64,
    /// The run fails when it goes back more often than this without getting past the place.
    pub at_most: u64,
    /// What went wrong, for the message.
    pub reason: String,
}

/// Where the training differs from its plan: from an iter on, batches are skipped and learning rates are lower.
#[derive(Clone, Debug, PartialEq)]
struct Detour {
    /// After this iter.
    at: Iter,
    /// In this epoch no batch up to this one is trained.
    epoch: Epoch,
    batch: Batch,
    /// What learning rates are multiplied by, altogether.
    lr_scale: f64,
    /// How often the run went back here.
    times: u64,
}

/// Every place at which the run went back, in the order of the training.
///
/// They don't belong to the state that a run goes back to: they say what is different this time. What they ask for is a
/// function of the clocks, so it is done once, whatever is restored and repeated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rollbacks {
    detours: Vec<Detour>,
}

impl Rollbacks {
    /// Whether the run never went back.
    pub(crate) fn is_empty(&self) -> bool {
        self.detours.is_empty()
    }

    /// How often the run has gone back to an iter or to a place after it, when it does so once more.
    pub(crate) fn times(&self, at: Iter) -> u64 {
        self.detours.iter().filter(|detour| detour.at >= at).map(|detour| detour.times).max().unwrap_or(0) + 1
    }

    /// The run goes back to the state after the iter `at`. This replaces what was noted for later iters.
    pub(crate) fn add(&mut self, at: Iter, request: &RollBack) {
        let detour = Detour {
            at,
            epoch: request.epoch,
            batch: request.batch,
            lr_scale: self.lr_scale(request.iter) * request.lr_factor,
            times: self.times(at),
        };
        self.detours.retain(|known| known.at < at);
        self.detours.push(detour);
    }

    /// The batch of the current epoch up to which batches are skipped now.
    pub(crate) fn skips_to(&self, clocks: &Clocks) -> Option<Batch> {
        let here = self.detours.iter().filter(|detour| detour.at <= clocks.iter && detour.epoch == clocks.epoch);
        here.map(|detour| detour.batch).max().filter(|batch| *batch > clocks.batch)
    }

    /// What the learning rates of the update after this many iters are multiplied by.
    pub(crate) fn lr_scale(&self, iter: Iter) -> f64 {
        self.detours.iter().rfind(|detour| detour.at <= iter).map_or(1.0, |detour| detour.lr_scale)
    }
}

impl Saved for Rollbacks {
    fn save(&self) -> StateValue {
        self.detours.save()
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        Ok(Rollbacks { detours: Vec::restore(value)? })
    }
}

impl Saved for Detour {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("at", &self.at);
        map.put("epoch", &self.epoch);
        map.put("batch", &self.batch);
        map.put("lr_scale", &self.lr_scale);
        map.put("times", &self.times);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Detour {
            at: map.take("at")?,
            epoch: map.take("epoch")?,
            batch: map.take("batch")?,
            lr_scale: map.take("lr_scale")?,
            times: map.take("times")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;

    fn request(iter: u64, batch: u64) -> RollBack {
        RollBack {
            iter: Iter(iter),
            back: 2,
            epoch: Epoch(0),
            batch: Batch(batch),
            lr_factor: 0.5,
            at_most: 3,
            reason: String::new(),
        }
    }

    fn clocks(iter: u64, batch: u64) -> Clocks {
        Clocks { iter: Iter(iter), batch: Batch(batch), ..Clocks::new(Clock::Iter) }
    }

    #[test]
    fn batches_are_skipped_once_and_again_when_an_earlier_state_is_repeated() {
        let mut rollbacks = Rollbacks::default();
        rollbacks.add(Iter(5), &request(8, 8));
        assert_eq!(rollbacks.skips_to(&clocks(4, 4)), None);
        assert_eq!(rollbacks.skips_to(&clocks(5, 5)), Some(Batch(8)));
        assert_eq!(rollbacks.skips_to(&clocks(5, 8)), None);
        // a second place further on leaves the first one
        rollbacks.add(Iter(9), &request(12, 15));
        assert_eq!(rollbacks.skips_to(&clocks(5, 5)), Some(Batch(8)));
        assert_eq!(rollbacks.skips_to(&clocks(9, 12)), Some(Batch(15)));
        assert_eq!((rollbacks.lr_scale(Iter(4)), rollbacks.lr_scale(Iter(5))), (1.0, 0.5));
        assert_eq!(rollbacks.lr_scale(Iter(9)), 0.25);
    }

    #[test]
    fn going_back_further_replaces_what_comes_later_and_is_counted() {
        let mut rollbacks = Rollbacks::default();
        rollbacks.add(Iter(5), &request(8, 8));
        assert_eq!(rollbacks.times(Iter(6)), 1);
        rollbacks.add(Iter(4), &request(7, 10));
        assert_eq!((rollbacks.times(Iter(4)), rollbacks.times(Iter(5))), (3, 1));
        assert_eq!(rollbacks.skips_to(&clocks(4, 4)), Some(Batch(10)));
        assert_eq!(rollbacks.lr_scale(Iter(4)), 0.25);
        assert_eq!(Rollbacks::restore(rollbacks.save()).unwrap(), rollbacks);
    }
}
