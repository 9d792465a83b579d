//! Where the run is, and how far it goes.

use crate::base::{Batch, Clock, Epoch, Iter};
use crate::optim::{PlannedLength, TrainingProgress};

/// The clocks of a run: what is finished, and what is planned. `after_x` phases see `x` counted.
#[derive(Clone, Debug)]
pub struct Clocks {
    pub(crate) clock: Clock,
    pub(crate) epoch: Epoch,
    pub(crate) iter: Iter,
    pub(crate) batch: Batch,
    pub(crate) max_epochs: Option<u64>,
    pub(crate) max_iters: Option<u64>,
    pub(crate) iters_per_epoch: u64,
    pub(crate) last_val: Option<Iter>,
}

impl Clocks {
    /// At zero.
    pub(crate) fn new(clock: Clock) -> Self {
        Clocks {
            clock,
            epoch: Epoch(0),
            iter: Iter(0),
            batch: Batch(0),
            max_epochs: None,
            max_iters: None,
            iters_per_epoch: 0,
            last_val: None,
        }
    }

    /// The clock of `#[trainer(by_epoch)]` or `#[trainer(by_iter)]`.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Finished passes of the train loader; `by_iter`: 0 until the training is over.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Finished iters since the start of the training: updates, or rounds of all passes where there are several.
    pub fn iter(&self) -> Iter {
        self.iter
    }

    /// Finished batches of the current epoch; `by_iter`: of the whole training. 0 once the epoch is counted.
    pub fn batch(&self) -> Batch {
        self.batch
    }

    /// Planned epochs, when the training is counted in epochs.
    pub fn max_epochs(&self) -> Option<u64> {
        self.max_epochs
    }

    /// Planned iters of the whole training.
    pub fn max_iters(&self) -> Option<u64> {
        self.max_iters
    }

    /// Iters of one epoch, the tail included; `by_iter`: of the whole training.
    pub fn iters_per_epoch(&self) -> u64 {
        self.iters_per_epoch
    }

    /// The count on a clock.
    pub fn count(&self, clock: Clock) -> u64 {
        match clock {
            Clock::Epoch => self.epoch.get(),
            Clock::Iter => self.iter.get(),
        }
    }

    /// The planned count on a clock.
    pub fn planned(&self, clock: Clock) -> Option<u64> {
        match clock {
            Clock::Epoch => self.max_epochs,
            Clock::Iter => self.max_iters,
        }
    }

    /// What schedules are a function of.
    pub fn progress(&self) -> TrainingProgress {
        let planned = PlannedLength {
            max_epochs: self.max_epochs.unwrap_or(1),
            max_iters: self.max_iters.unwrap_or(0),
            iters_per_epoch: self.iters_per_epoch,
        };
        TrainingProgress { epoch: self.epoch, iter: self.iter, planned }
    }

    /// Whether everything that was planned is done.
    pub fn is_finished(&self) -> bool {
        self.planned(self.clock).is_some_and(|planned| self.count(self.clock) >= planned)
            || self.max_iters.is_some_and(|planned| self.iter.get() >= planned)
    }

    /// Whether the run stands at the end of a pass, with no batch of the next one done.
    pub fn is_between_epochs(&self) -> bool {
        self.batch == Batch(0)
    }
}
