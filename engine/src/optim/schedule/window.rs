//! The position of a run, and the windows of schedules.

use crate::base::{Clock, Epoch, Iter};
use crate::optim::error::OptimError;

/// The planned length of a training; known before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedLength {
    /// Passes of the train loader; 1 when a training is counted in iters alone.
    pub max_epochs: u64,
    /// Updates.
    pub max_iters: u64,
    /// Updates in one pass.
    pub iters_per_epoch: u64,
}

/// The planned length of a training, as far as it is known: before the data are opened, not all of it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrainingLength {
    /// Passes of the train loader; 1 when a training is counted in iters alone.
    pub max_epochs: Option<u64>,
    /// Updates.
    pub max_iters: Option<u64>,
    /// Updates in one pass.
    pub iters_per_epoch: Option<u64>,
    /// The maximum number of updates, when a file limits them; it may be known before `max_iters`.
    pub limit: Option<u64>,
}

impl From<&PlannedLength> for TrainingLength {
    fn from(planned: &PlannedLength) -> Self {
        TrainingLength {
            max_epochs: Some(planned.max_epochs),
            max_iters: Some(planned.max_iters),
            iters_per_epoch: Some(planned.iters_per_epoch),
            limit: None,
        }
    }
}

impl TrainingLength {
    /// The end of the training on a clock.
    pub(super) fn end(&self, by: Clock) -> Option<u64> {
        match by {
            Clock::Epoch => self.max_epochs,
            Clock::Iter => self.max_iters,
        }
    }

    /// The last moment of a clock that the training can come to.
    pub(super) fn latest(&self, by: Clock) -> Option<u64> {
        self.end(by).or(self.limit.filter(|_| by == Clock::Iter))
    }

    /// A moment of one clock on another; an iter within an epoch belongs to that epoch.
    pub(super) fn convert(&self, (from, count): (Clock, u64), to: Clock) -> Option<u64> {
        match (from, to) {
            _ if from == to || count == 0 => Some(count),
            (Clock::Iter, _) => Some(count / self.iters_per_epoch?.max(1)),
            (Clock::Epoch, _) => Some(count.saturating_mul(self.iters_per_epoch?)),
        }
    }
}

/// The position of a run: what is finished, and the planned length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingProgress {
    /// Finished passes.
    pub epoch: Epoch,
    /// Finished updates.
    pub iter: Iter,
    /// The planned length.
    pub planned: PlannedLength,
}

impl TrainingProgress {
    /// The count of a clock.
    pub fn on(&self, by: Clock) -> u64 {
        match by {
            Clock::Epoch => self.epoch.get(),
            Clock::Iter => self.iter.get(),
        }
    }
}

/// When a schedule is active, and for which setting and groups.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// The clock on which it counts.
    pub by: Clock,
    /// Its first moment; `None`: the end of the previous schedule.
    pub begin: Option<u64>,
    /// The first moment after the window; `None`: the end of the training.
    pub end: Option<u64>,
    /// Its length, instead of its end.
    pub length: Option<u64>,
    /// The setting it changes.
    pub setting: &'a str,
    /// The groups for which it is active, by their names or the names of their optimizers; empty: all.
    pub groups: &'a [String],
}

impl<'a> Window<'a> {
    /// A window whose length may be given as `iters` or `epochs`, which then also sets the clock.
    pub fn with_length(self, by: Option<Clock>, iters: Option<u64>, epochs: Option<u64>) -> Window<'a> {
        let (length, implied) = match (iters, epochs) {
            (Some(iters), _) => (Some(iters), Clock::Iter),
            (None, Some(epochs)) => (Some(epochs), Clock::Epoch),
            (None, None) => (None, by.unwrap_or(Clock::Iter)),
        };
        Window { by: implied, length, ..self }
    }
}

/// Refuses a length that is given in two ways.
///
/// # Errors
/// What contradicts what; `owner` is the schedule.
pub fn check_length(
    owner: &str,
    by: Option<Clock>,
    iters: Option<u64>,
    epochs: Option<u64>,
    end: Option<u64>,
) -> Result<(), OptimError> {
    let why = match (iters, epochs, by) {
        (Some(_), Some(_), _) => "`iters` and `epochs` both set its length; keep one",
        (Some(_), None, Some(Clock::Epoch)) => "`iters` and `by: Epoch` contradict each other; leave `by` out",
        (None, Some(_), Some(Clock::Iter)) => "`epochs` and `by: Iter` contradict each other; leave `by` out",
        (None, None, _) => return Ok(()),
        _ if end.is_some() => "`end` and a length both set where it ends; keep one",
        _ => return Ok(()),
    };
    Err(OptimError::Contradiction { owner: owner.into(), why: why.into() })
}

/// A moment within a schedule's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowPosition {
    /// The window's begin, on the schedule's clock.
    pub begin: u64,
    /// Counts since the begin, at most `length`.
    pub at: u64,
    /// The window's length.
    pub length: u64,
}

impl WindowPosition {
    /// Counts since the begin, below the length of the window. Schedules that change in steps use it, because the end
    /// is not part of the window.
    pub fn within(&self) -> u64 {
        self.at.min(self.length.saturating_sub(1))
    }

    /// The finished part of the window, 0 to 1; for a window of length 0 it is 1.
    pub fn fraction(&self) -> f64 {
        if self.length == 0 { 1.0 } else { self.at as f64 / self.length as f64 }
    }
}
