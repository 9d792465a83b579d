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
    /// From the settings of a file. The defaults are the clock of the trainer, and every epoch, every 1000 iters or every 100,000
    /// samples.
    pub fn new(interval: Option<u64>, begin: u64, by: Option<Clock>, trainer: Clock) -> Self {
        let by = by.unwrap_or(trainer);
        let default = match by {
            Clock::Epoch => 1,
            Clock::Iter => 1000,
            Clock::Sample => 100_000,
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

    /// Whether it is due at the current position of the run. With epochs this is possible only between two epochs. With samples,
    /// of which an update counts several, it is due after the update that comes to a multiple or past it.
    pub fn is_due(&self, clocks: &Clocks) -> bool {
        match self.by {
            Clock::Epoch => clocks.is_between_epochs() && self.is_at(clocks.count(self.by)),
            Clock::Iter => self.is_at(clocks.count(self.by)),
            Clock::Sample => self.is_between(clocks.samples_before(), clocks.count(self.by)),
        }
    }

    /// Whether a multiple comes after one count, up to another one.
    fn is_between(&self, before: u64, now: u64) -> bool {
        let last = now - now % self.interval.max(1);
        last > before && last >= self.begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Iter;
    use crate::optim::SampleClock;

    #[test]
    fn the_default_interval_is_that_of_the_clock_that_is_counted_on() {
        let new = |by, trainer| Cadence::new(None, 0, by, trainer).interval;
        assert_eq!((new(None, Clock::Epoch), new(None, Clock::Iter)), (1, 1000));
        assert_eq!(new(Some(Clock::Iter), Clock::Epoch), 1000);
    }

    #[test]
    fn by_samples_it_is_due_after_the_update_that_comes_past_a_multiple() {
        let due = |interval, begin, per_iter| {
            let cadence = Cadence { interval, begin, by: Clock::Sample };
            let mut clocks = Clocks::new(Clock::Iter);
            clocks.samples = Some(SampleClock::new(per_iter));
            let is_due = |iter: &u64| {
                clocks.iter = Iter(*iter);
                cadence.is_due(&clocks)
            };
            (0..=10).filter(is_due).collect::<Vec<u64>>()
        };
        // 8, 16, 24, ... samples
        assert_eq!(due(20, 0, 8), [3, 5, 8, 10]);
        assert_eq!(due(16, 40, 8), [6, 8, 10]);
        // an update that comes past several counts once
        assert_eq!(due(3, 0, 8), (1..=10).collect::<Vec<u64>>());
        let mut unknown = Clocks::new(Clock::Iter);
        unknown.iter = Iter(5);
        assert!(!Cadence { interval: 1, begin: 0, by: Clock::Sample }.is_due(&unknown));
        assert!(unknown.check(Clock::Sample).is_err() && unknown.check(Clock::Iter).is_ok());
    }

    #[test]
    fn an_interval_of_nothing_is_every_count() {
        assert!(Cadence::iters(0).is_at(3) && !Cadence::iters(0).is_at(0));
    }
}
