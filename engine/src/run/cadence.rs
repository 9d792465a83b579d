//! When something that repeats is due.

use crate::base::Clock;
use crate::run::Clocks;

/// Every `interval` counts of a clock, from `begin` on: the settings `interval`, `begin` and `by` of an experiment.
///
/// ```
/// use engine::base::Clock;
/// use engine::run::Cadence;
///
/// let cadence = Cadence { interval: 4, begin: 6, by: Clock::Iter };
/// let due: Vec<u64> = (0..=16).filter(|count| cadence.is_at(*count)).collect();
/// assert_eq!(due, [8, 12, 16]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Counts from one time to the next; 0 means 1.
    pub interval: u64,
    /// It is never due before this count.
    pub begin: u64,
    /// The clock of `interval` and `begin`.
    pub by: Clock,
}

impl Cadence {
    /// From the settings of a file. The defaults are the clock of the trainer, and every epoch or every 1000 iters.
    pub fn new(interval: Option<u64>, begin: u64, by: Option<Clock>, trainer: Clock) -> Self {
        let by = by.unwrap_or(trainer);
        let default = match by {
            Clock::Epoch => 1,
            Clock::Iter | Clock::Sample => 1000,
        };
        Cadence { interval: interval.unwrap_or(default), begin, by }
    }

    /// Every `interval` updates.
    pub fn iters(interval: u64) -> Self {
        Cadence { interval, begin: 0, by: Clock::Iter }
    }

    /// Whether it is due at a count of its clock; never at 0.
    pub fn is_at(&self, count: u64) -> bool {
        count > 0 && count >= self.begin && count.is_multiple_of(self.interval.max(1))
    }

    /// Whether it is due at the current position of the run. With epochs this is possible only between two epochs.
    pub fn is_due(&self, clocks: &Clocks) -> bool {
        let counted = self.by == Clock::Iter || clocks.is_between_epochs();
        counted && self.is_at(clocks.count(self.by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_interval_is_that_of_the_clock_that_is_counted_on() {
        let new = |by, trainer| Cadence::new(None, 0, by, trainer).interval;
        assert_eq!((new(None, Clock::Epoch), new(None, Clock::Iter)), (1, 1000));
        assert_eq!(new(Some(Clock::Iter), Clock::Epoch), 1000);
    }

    #[test]
    fn an_interval_of_nothing_is_every_count() {
        assert!(Cadence::iters(0).is_at(3) && !Cadence::iters(0).is_at(0));
    }
}
