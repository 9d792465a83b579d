//! How long iters take, and when the run will be over. The caller passes time spans; nothing here reads a clock.

use std::collections::VecDeque;
use std::time::Duration;

/// Smoothed times of the last iters, and the mean over all iters for the remaining time.
#[derive(Clone, Debug)]
pub struct Timing {
    window: usize,
    recent: VecDeque<Timed>,
    /// The sums of `recent`: whole numbers, so adding and taking away leaves no error.
    sums: Timed,
    iters: u32,
    first: Duration,
    /// Everything since the start: iters, and what lies between them.
    elapsed: Duration,
}

/// One iter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timed {
    /// How long it took.
    pub whole: Duration,
    /// How long it waited for data.
    pub data: Duration,
    /// How long it waited for other ranks.
    pub ranks: Duration,
    /// The samples of its batches.
    pub samples: u64,
}

impl Timing {
    /// Times smoothed over the last `window` iters; 0 means 1.
    pub fn new(window: usize) -> Timing {
        let window = window.max(1);
        Timing {
            window,
            recent: VecDeque::with_capacity(window),
            sums: Timed::default(),
            iters: 0,
            first: Duration::ZERO,
            elapsed: Duration::ZERO,
        }
    }

    /// Adds a finished iter.
    pub fn iter(&mut self, iter: Timed) {
        if self.recent.len() == self.window
            && let Some(oldest) = self.recent.pop_front()
        {
            self.sums.whole -= oldest.whole;
            self.sums.data -= oldest.data;
            self.sums.ranks -= oldest.ranks;
            self.sums.samples -= oldest.samples;
        }
        self.recent.push_back(iter);
        self.sums.whole += iter.whole;
        self.sums.data += iter.data;
        self.sums.ranks += iter.ranks;
        self.sums.samples += iter.samples;
        if self.iters == 0 {
            self.first = iter.whole;
        }
        self.iters = self.iters.saturating_add(1);
        self.elapsed += iter.whole;
    }

    /// Adds time for other work, such as a validation or a checkpoint. It counts for the remaining time, because such
    /// work will be done again, but not for the time of an iter.
    pub fn between(&mut self, span: Duration) {
        self.elapsed += span;
    }

    /// The mean time of the last iters.
    pub fn iter_time(&self) -> Option<Duration> {
        self.mean(self.sums.whole)
    }

    /// The mean wait for data of the last iters.
    pub fn data_time(&self) -> Option<Duration> {
        self.mean(self.sums.data)
    }

    /// The mean wait for other ranks of the last iters.
    pub fn ranks_time(&self) -> Option<Duration> {
        self.mean(self.sums.ranks)
    }

    /// Samples a second in the last iters.
    pub fn samples_per_second(&self) -> Option<f64> {
        let seconds = self.sums.whole.as_secs_f64();
        (seconds > 0.0).then(|| self.sums.samples as f64 / seconds)
    }

    /// The time that `remaining` iters will take, estimated from the mean of all iters so far, including other work
    /// between them.
    ///
    /// The first iter, which allocates and warms up, counts only as long as it is the only one.
    pub fn eta(&self, remaining: u64) -> Option<Duration> {
        let (spent, iters) = match self.iters {
            0 => return None,
            1 => (self.elapsed, 1),
            more => (self.elapsed - self.first, more - 1),
        };
        Duration::try_from_secs_f64(spent.as_secs_f64() / f64::from(iters) * remaining as f64).ok()
    }

    /// The part of the last iters that was waiting for data, from 0 to 1; `None` before the window is full.
    pub fn data_share(&self) -> Option<f64> {
        let whole = self.sums.whole.as_secs_f64();
        (self.recent.len() == self.window && whole > 0.0).then(|| self.sums.data.as_secs_f64() / whole)
    }

    /// The time since the first iter began.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    fn mean(&self, sum: Duration) -> Option<Duration> {
        let count = u32::try_from(self.recent.len()).ok().filter(|count| *count > 0)?;
        Some(sum / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iter(whole: u64, data: u64) -> Timed {
        Timed { whole: ms(whole), data: ms(data), ranks: ms(data / 2), samples: 64 }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn nothing_is_known_before_the_first_iter() {
        let mut timing = Timing::new(10);
        timing.between(ms(5));
        assert_eq!((timing.iter_time(), timing.data_time(), timing.eta(10)), (None, None, None));
    }

    #[test]
    fn times_are_means_of_the_last_iters_only() {
        let mut timing = Timing::new(2);
        timing.iter(iter(1000, 900));
        timing.iter(iter(30, 10));
        timing.iter(iter(10, 4));
        assert_eq!((timing.iter_time(), timing.data_time()), (Some(ms(20)), Some(ms(7))));
        assert_eq!(timing.ranks_time(), Some(Duration::from_micros(3500)));
        assert_eq!(timing.samples_per_second(), Some(3200.0));
        // the last batch of an epoch may be smaller
        timing.iter(Timed { samples: 16, ..iter(10, 4) });
        assert_eq!(timing.samples_per_second(), Some(4000.0));
    }

    #[test]
    fn the_share_of_waiting_is_known_once_the_window_is_full() {
        let mut timing = Timing::new(2);
        timing.iter(iter(1000, 900));
        assert_eq!(timing.data_share(), None);
        timing.iter(iter(30, 10));
        timing.iter(iter(10, 6));
        assert_eq!((timing.data_share(), timing.elapsed()), (Some(0.4), ms(1040)));
    }

    #[test]
    fn the_time_left_counts_what_lies_between_iters_but_not_the_warm_up() {
        let mut timing = Timing::new(2);
        timing.iter(iter(1000, 0));
        assert_eq!(timing.eta(3), Some(ms(3000)));
        timing.iter(iter(10, 0));
        timing.iter(iter(10, 0));
        timing.between(ms(20));
        assert_eq!(timing.eta(100), Some(ms(2000)));
        assert_eq!(timing.iter_time(), Some(ms(10)));
    }

    #[test]
    fn no_iters_left_take_no_time() {
        let mut timing = Timing::new(2);
        timing.iter(iter(10, 0));
        assert_eq!(timing.eta(0), Some(Duration::ZERO));
    }
}
