//! `timer`: how long iters take, how much of that is waiting for data, and when the run will be over.

use crate::base::Result;
use crate::record::{Progress, Timed, Timing};
use crate::run::Context;
use engine_macros::{hook, phases};
use std::time::{Duration, Instant};

/// Records `iter_time` and `data_time` in seconds, `samples_per_second`, and `eta` in seconds.
///
/// Times are measured on the host, without waiting for the device. With several train loaders, the samples of the
/// first one are counted. Of several ranks it also records `comm_time`: the seconds of an iter in which a rank only
/// waited for others.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct Timer {
    /// Iters over which times are smoothed.
    #[config(default = 50, range = 1..=100_000)]
    window: usize,
    /// Tells once when the training waits for data in more than this part of its time, from 0 to 1. `None`: never.
    #[config(default = Some(0.3), range = 0.0..=1.0)]
    slow_data: Option<f64>,
    #[transient]
    slow_data_told: bool,
    #[transient]
    timing: Option<Timing>,
    #[transient]
    iter_began: Option<Instant>,
    /// Since when the loop has been waiting for the next batch.
    #[transient]
    waiting_since: Option<Instant>,
    #[transient]
    waited: Duration,
    /// How long it had waited for other ranks when the iter began.
    #[transient]
    waited_for_ranks: Option<Duration>,
    #[transient]
    samples: u64,
    #[transient]
    last_end: Option<Instant>,
}

#[phases]
impl Timer {
    fn before_train(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.timing = Some(Timing::new(self.window));
        Ok(())
    }

    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let now = Instant::now();
        if let (Some(end), Some(timing)) = (self.last_end, &mut self.timing) {
            timing.between(now.duration_since(end));
        }
        self.iter_began = Some(now);
        self.waiting_since = Some(now);
        self.waited = Duration::ZERO;
        self.samples = 0;
        self.waited_for_ranks = cx.waited_for_ranks();
        Ok(())
    }

    fn before_train_batch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
        self.samples += cx.batch_size() as u64;
        Ok(())
    }

    fn after_train_batch(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.waiting_since = Some(Instant::now());
        Ok(())
    }

    #[only_ok]
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let (Some(timing), Some(began)) = (&mut self.timing, self.iter_began.take()) else { return Ok(()) };
        let now = Instant::now();
        self.last_end = Some(now);
        let waited = |(now, before): (Duration, Duration)| now.saturating_sub(before);
        let ranks = cx.waited_for_ranks().zip(self.waited_for_ranks).map(waited);
        timing.iter(Timed {
            whole: now.duration_since(began),
            data: self.waited,
            ranks: ranks.unwrap_or_default(),
            samples: self.samples,
        });
        let done = cx.iter().get();
        let total = cx.last_planned_iter();
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let recorded = [
            ("iter_time", seconds(timing.iter_time())),
            ("data_time", seconds(timing.data_time())),
            ("comm_time", ranks.and_then(|_| seconds(timing.ranks_time()))),
            ("samples_per_second", timing.samples_per_second()),
            ("eta", seconds(total.and_then(|total| timing.eta(total.saturating_sub(done))))),
        ];
        for (name, value) in recorded {
            if let Some(value) = value {
                cx.log_last(name, value);
            }
        }
        if !self.slow_data_told
            && let Some(text) = told_of_slow_data(timing, self.slow_data)
        {
            self.slow_data_told = true;
            cx.say(&text)?;
        }
        cx.show_progress(Progress { what: "train", done, total })
    }
}

/// Before this the start of workers and files that are read for the first time would be blamed.
const SETTLED: Duration = Duration::from_secs(20);

fn told_of_slow_data(timing: &Timing, most: Option<f64>) -> Option<String> {
    let share = timing.data_share().filter(|share| most.is_some_and(|most| *share > most))?;
    (timing.elapsed() >= SETTLED).then(|| {
        format!(
            "the training waits for data in {:.0} % of its time: set more `workers` in `loaders.train` (with 0 the training reads samples itself), or make `get` of the dataset cheaper",
            100.0 * share
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_data_is_told_above_the_limit_and_once_the_training_has_settled() {
        let mut timing = Timing::new(10);
        let mut after = |iters: u64, limit| {
            let iter = Timed {
                whole: Duration::from_millis(100),
                data: Duration::from_millis(38),
                samples: 8,
                ..Timed::default()
            };
            (0..iters).for_each(|_| timing.iter(iter));
            told_of_slow_data(&timing, limit)
        };
        assert_eq!(after(50, Some(0.3)), None);
        assert!(after(150, Some(0.3)).unwrap().starts_with("the training waits for data in 38 % of its time: "));
        assert_eq!((after(1, Some(0.4)), after(1, None)), (None, None));
    }
}
