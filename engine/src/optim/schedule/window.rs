//! The position of a run, and the windows of schedules.

use crate::base::{Clock, Epoch, Iter};
use crate::optim::error::OptimError;
use crate::optim::schedule::samples::SampleClock;

/// The planned length of a training; known before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedLength {
    /// Passes of the train loader; 1 when a training is counted in iters alone.
    pub max_epochs: u64,
    /// Updates.
    pub max_iters: u64,
    /// Updates in one pass.
    pub iters_per_epoch: u64,
    /// How updates count in samples; `None` when it is not known.
    pub samples: Option<SampleClock>,
}

impl PlannedLength {
    /// So many epochs of so many updates, whose samples are not known.
    pub const fn epochs(max_epochs: u64, iters_per_epoch: u64) -> Self {
        let max_iters = max_epochs.saturating_mul(iters_per_epoch);
        PlannedLength { max_epochs, max_iters, iters_per_epoch, samples: None }
    }
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
    /// How updates count in samples.
    pub samples: Option<SampleClock>,
}

impl From<&PlannedLength> for TrainingLength {
    fn from(planned: &PlannedLength) -> Self {
        TrainingLength {
            max_epochs: Some(planned.max_epochs),
            max_iters: Some(planned.max_iters),
            iters_per_epoch: Some(planned.iters_per_epoch),
            limit: None,
            samples: planned.samples,
        }
    }
}

impl TrainingLength {
    /// The end of the training on a clock.
    pub(super) fn end(&self, by: Clock) -> Option<u64> {
        match by {
            Clock::Epoch => self.max_epochs,
            Clock::Iter => self.max_iters,
            Clock::Sample => Some(self.samples?.at(self.max_iters?)),
        }
    }

    /// The last moment of a clock that the training can come to. In samples it is not known for sure: a run that goes on with
    /// another batch size comes to another one.
    pub(super) fn latest(&self, by: Clock) -> Option<u64> {
        self.end(by).filter(|_| by != Clock::Sample).or(self.limit.filter(|_| by == Clock::Iter))
    }

    /// A moment of one clock on another; an iter within an epoch belongs to that epoch.
    pub(super) fn convert(&self, (from, count): (Clock, u64), to: Clock) -> Option<u64> {
        match (from, to) {
            _ if from == to || count == 0 => Some(count),
            (Clock::Iter, Clock::Sample) => Some(self.samples?.at(count)),
            (Clock::Iter, _) => Some(count / self.iters_per_epoch?.max(1)),
            (Clock::Sample, Clock::Iter) => Some(self.samples?.iter_of(count)),
            (Clock::Epoch, Clock::Iter) => Some(count.saturating_mul(self.iters_per_epoch?)),
            _ => self.convert((Clock::Iter, self.convert((from, count), Clock::Iter)?), to),
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
            Clock::Sample => self.planned.samples.map_or(0, |samples| samples.at(self.iter.get())),
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

/// The length of a window on each clock, of which a file gives one at most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lengths {
    /// In updates.
    pub iters: Option<u64>,
    /// In epochs.
    pub epochs: Option<u64>,
    /// In samples.
    pub samples: Option<u64>,
}

impl Lengths {
    fn given(&self) -> impl Iterator<Item = (&'static str, Clock, u64)> {
        let all = [
            ("iters", Clock::Iter, self.iters),
            ("epochs", Clock::Epoch, self.epochs),
            ("samples", Clock::Sample, self.samples),
        ];
        all.into_iter().filter_map(|(name, clock, length)| Some((name, clock, length?)))
    }
}

impl<'a> Window<'a> {
    /// A window whose length may be given on a clock, which is then also that of the window.
    pub fn with_length(self, by: Option<Clock>, lengths: Lengths) -> Window<'a> {
        let (length, implied) = match lengths.given().next() {
            Some((_, clock, length)) => (Some(length), clock),
            None => (None, by.unwrap_or(Clock::Iter)),
        };
        Window { by: implied, length, ..self }
    }
}

/// Refuses a length that is given in two ways.
///
/// # Errors
/// What contradicts what; `owner` is the schedule.
pub fn check_length(owner: &str, by: Option<Clock>, lengths: Lengths, end: Option<u64>) -> Result<(), OptimError> {
    let mut given = lengths.given();
    let Some((name, clock, _)) = given.next() else { return Ok(()) };
    let why = match (given.next(), by) {
        (Some((other, ..)), _) => format!("`{name}` and `{other}` both set its length; keep one"),
        (None, Some(by)) if by != clock => {
            format!("`{name}` and `by: {by:?}` contradict each other; leave `by` out")
        }
        _ if end.is_some() => "`end` and a length both set where it ends; keep one".to_owned(),
        _ => return Ok(()),
    };
    Err(OptimError::Contradiction { owner: owner.into(), why })
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
