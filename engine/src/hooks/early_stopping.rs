//! `EarlyStopping`: ends the training when a metric no longer gets better.

use crate::base::Result;
use crate::hooks::monitor::{Best, direction_of};
use crate::metric::{Better, MetricName};
use crate::run::Context;
use engine_macros::{hook, phases};

/// Ends the training when the monitored metric has not become better for `patience` validations.
///
/// The metric itself declares which direction is better. A validation that does not measure the metric is not counted.
#[hook(priority = "HIGH")]
#[derive(Debug)]
pub struct EarlyStopping {
    /// The metric to watch, `val/accuracy`.
    #[config(example = "val/accuracy", resets_state)]
    monitor: MetricName,
    /// Validations without improvement before it stops.
    #[config(default = 5, range = 1..)]
    patience: u64,
    /// The least change that counts as an improvement.
    #[config(default = 0.0, range = 0.0..=f64::MAX)]
    min_delta: f64,
    /// Stops at once when the metric is as good as this.
    #[config(default, range = f64::MIN..=f64::MAX)]
    threshold: Option<f64>,
    /// Stops at once when the metric is NaN or infinite.
    #[config(default = true)]
    check_finite: bool,
    #[state]
    best: Best,
    #[state]
    waited: u64,
    /// An evaluation alone stops nothing.
    #[transient]
    training: bool,
}

#[phases]
impl EarlyStopping {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.training = true;
        direction_of(&self.monitor, cx)?;
        if let Some(told) = self.best.is_of(&self.monitor, cx) {
            self.waited = 0;
            cx.say(&told)?;
        }
        if self.waited >= self.patience {
            // it had ended the training, and somebody wants it to go on: that takes its patience anew
            self.waited = 0;
        }
        Ok(())
    }

    // an interrupted or failed validation has no value to judge
    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.training {
            return Ok(());
        }
        let Some(value) = cx.new_metric(&self.monitor) else { return Ok(()) };
        let better = direction_of(&self.monitor, cx)?;
        match self.best.take(value, better, self.min_delta) {
            true => self.waited = 0,
            false => self.waited += 1,
        }
        if let Some(reason) = self.reason(value, better) {
            cx.stop(reason);
        }
        Ok(())
    }
}

impl EarlyStopping {
    fn waited_too_long(&self, best: f64) -> String {
        format!("`{}` has not become better than {best} for {} validations", self.monitor, self.waited)
    }

    /// Why the training ends with this value.
    fn reason(&self, value: f64, better: Better) -> Option<String> {
        let monitor = &self.monitor;
        let reached = |threshold: f64| value == threshold || better.is_better(value, threshold, 0.0);
        if self.check_finite && !value.is_finite() {
            Some(format!("`{monitor}` is {value}"))
        } else if self.threshold.is_some_and(reached) {
            Some(format!("`{monitor}` has reached {value}"))
        } else if self.waited >= self.patience {
            Some(self.waited_too_long(self.best.value().unwrap_or(value)))
        } else {
            None
        }
    }
}
