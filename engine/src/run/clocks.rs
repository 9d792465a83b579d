//! The position of a run, and its planned length.

use crate::base::{Batch, Clock, Epoch, Error, Iter, Result};
use crate::optim::{PlannedLength, SampleClock, TrainingProgress};

/// Why a training can't count in samples.
pub(crate) const NO_SAMPLES: &str = "samples can't be counted: the train loader does not tell the samples of a batch (`Source::batch_samples`), or the passes read different numbers of batches; count in iters";

/// The clocks of a run: what is finished, and what is planned. In a phase `after_x`, `x` is already counted.
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
    pub(crate) samples: Option<SampleClock>,
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
            samples: None,
        }
    }

    /// The clock of `#[trainer(by_epoch)]` or `#[trainer(by_iter)]`.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Finished passes of the train loader; with `by_iter`, 0 until the training is over.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Finished iters since the start of the training: updates, or rounds of all passes when there are several.
    pub fn iter(&self) -> Iter {
        self.iter
    }

    /// Finished batches of the current epoch; with `by_iter`, of the whole training. 0 once the epoch is counted.
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

    /// Iters of one epoch, including a last iter with fewer batches; with `by_iter`, of the whole training.
    pub fn iters_per_epoch(&self) -> u64 {
        self.iters_per_epoch
    }

    /// Samples since the start of the training: of each update as many as its full batches have. `None` when the train loader
    /// does not tell the samples of a batch.
    pub fn samples(&self) -> Option<u64> {
        Some(self.samples?.at(self.iter.get()))
    }

    /// Samples before the last update.
    pub(crate) fn samples_before(&self) -> u64 {
        self.samples.map_or(0, |samples| samples.at(self.iter.get().saturating_sub(1)))
    }

    /// Refuses a clock that does not run: that of samples, when they can't be counted. Call it before a training with the clock
    /// of a setting.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, clock: Clock) -> Result<()> {
        match clock == Clock::Sample && self.samples.is_none() {
            true => Err(Error::msg(NO_SAMPLES)),
            false => Ok(()),
        }
    }

    /// The count of one clock.
    pub fn count(&self, clock: Clock) -> u64 {
        match clock {
            Clock::Epoch => self.epoch.get(),
            Clock::Iter => self.iter.get(),
            Clock::Sample => self.samples().unwrap_or(0),
        }
    }

    /// The planned count of one clock.
    pub fn planned(&self, clock: Clock) -> Option<u64> {
        match clock {
            Clock::Epoch => self.max_epochs,
            Clock::Iter => self.max_iters,
            Clock::Sample => Some(self.samples?.at(self.max_iters?)),
        }
    }

    /// The position and length of the training, from which schedules compute their values.
    pub fn progress(&self) -> TrainingProgress {
        let planned = PlannedLength {
            max_epochs: self.max_epochs.unwrap_or(1),
            max_iters: self.max_iters.unwrap_or(0),
            iters_per_epoch: self.iters_per_epoch,
            samples: self.samples,
        };
        TrainingProgress { epoch: self.epoch, iter: self.iter, planned }
    }

    /// The position at which the last update began; `None` before the first one.
    pub(crate) fn last_update(&self) -> Option<TrainingProgress> {
        let TrainingProgress { epoch, iter, planned } = self.progress();
        let counted = self.clock == Clock::Epoch && self.is_between_epochs();
        let epoch = Epoch(epoch.get().saturating_sub(u64::from(counted)));
        Some(TrainingProgress { epoch, iter: Iter(iter.get().checked_sub(1)?), planned })
    }

    /// Whether the plan is finished.
    pub fn is_finished(&self) -> bool {
        self.planned(self.clock).is_some_and(|planned| self.count(self.clock) >= planned)
            || self.max_iters.is_some_and(|planned| self.iter.get() >= planned)
    }

    /// Whether the run is between two epochs: no batch of the next epoch is finished.
    pub fn is_between_epochs(&self) -> bool {
        self.batch == Batch(0)
    }
}
