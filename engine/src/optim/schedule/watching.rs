//! Schedules that follow a metric from validation to validation.

use crate::base::{Better, MetricName, State};
use crate::optim::schedule::{Schedules, TrainingLength, TrainingProgress};

/// What a schedule does that follows a metric. It has a state, which checkpoints contain, so a resumed run goes on
/// exactly.
pub trait Watching: State {
    /// The metric, `val/loss`.
    fn monitor(&self) -> &MetricName;

    /// Called before the training begins or goes on, with what measures the metric, as a text. Values of another measure
    /// can't be compared with those so far: the state starts over, and the text that is returned says so.
    fn begin(&mut self, measured_by: &str) -> Option<String>;

    /// Takes the value of a validation, and says which direction is better. When the factor changes, the text that is
    /// returned says why; it is logged.
    fn take(&mut self, value: f64, better: Better) -> Option<String>;
}

impl Schedules {
    /// The schedules that follow a metric, each with its index.
    pub fn watching(&mut self) -> impl Iterator<Item = (usize, &mut dyn Watching)> {
        self.0.iter_mut().enumerate().filter_map(|(index, schedule)| Some((index, schedule.watching()?)))
    }

    /// Whether the window of a schedule contains this update. A validation counts for the schedules whose windows contain
    /// the update before it, so none counts that has measured a warm-up alone.
    pub(crate) fn contains(&self, index: usize, update: &TrainingProgress) -> bool {
        let span = self.span(index, &TrainingLength::from(&update.planned));
        let begun = span.takes_over.is_some_and(|(clock, begin)| update.on(clock) >= begin);
        begun && span.end.is_none_or(|end| update.on(span.by) < end)
    }
}
