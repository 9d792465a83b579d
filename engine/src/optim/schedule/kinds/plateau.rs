//! Down by a factor whenever a metric no longer gets better.

use crate::base::{Better, MetricName, State, StateError, StateMap};
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Watching, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// Multiplies the setting by `factor` when a metric has not become better for more than `patience` validations, as
    /// `torch.optim.lr_scheduler.ReduceLROnPlateau`. The metric itself declares which direction is better, so there is no
    /// `mode`.
    ///
    /// Validations count from the begin of its window to the end: those that follow an update in it. A validation that
    /// does not measure the metric is not counted. Checkpoints contain its state.
    ///
    /// ```
    /// use engine::metric::Better;
    /// use engine::optim::schedule::{Plateau, Schedule, Watching, WindowPosition};
    ///
    /// let mut plateau = Plateau { patience: 1, ..Plateau::new("val/loss") };
    /// let factors = [0.9, 0.5, 0.6, 0.5, 0.4].map(|loss| {
    ///     plateau.take(loss, Better::Lower);
    ///     plateau.factor(WindowPosition { begin: 0, at: 0, length: 10 })
    /// });
    /// assert_eq!(factors, [1.0, 1.0, 1.0, 0.1, 0.1]); // two validations were not better than 0.5
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Plateau {
        /// The metric to watch, `val/loss`.
        #[config(example = "val/loss")]
        pub monitor: MetricName,
        /// What the setting is multiplied by, at least 0 and below 1.
        #[config(default = 0.1, range = 0.0..)]
        pub factor: f64,
        /// Validations without improvement that change nothing; the next one does.
        #[config(default = 10)]
        pub patience: u64,
        /// A change counts as an improvement only when it is larger than this.
        #[config(default = 1e-4, range = 0.0..)]
        pub threshold: f64,
        /// Whether `threshold` is a part of the best value or a number.
        #[config(default = ThresholdMode::Rel)]
        pub threshold_mode: ThresholdMode,
        /// Validations after a reduction that are not counted.
        #[config(default = 0)]
        pub cooldown: u64,
        /// The smallest value that it sets; PyTorch's `min_lr`.
        #[config(default = 0.0, range = 0.0..)]
        pub floor: f64,
        /// A change of the setting that is not larger than this is not made.
        #[config(default = 1e-8, range = 0.0..)]
        pub eps: f64,
        /// What has become of the metric so far.
        #[serde(skip)]
        pub course: Course,
    }
}

/// How large a change must be to count.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum ThresholdMode {
    /// `threshold` times the best value.
    Rel,
    /// `threshold`.
    Abs,
}

/// What has become of the metric that a [`Plateau`] watches: its state. It begins as `Course::default()`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// The best value; `None` before the first one.
    best: Option<f64>,
    /// Validations since then, or since the last reduction.
    waited: u64,
    /// Validations that are still not counted.
    cooldown: u64,
    reductions: u64,
    /// What has measured the values; empty while nobody has said.
    by: String,
}

impl Plateau {
    /// It watches this metric, and has the default settings.
    pub fn new(monitor: &str) -> Self {
        Plateau {
            monitor: monitor.into(),
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            floor: 0.0,
            eps: 1e-8,
            course: Course::default(),
            by: crate::base::Clock::Iter,
            begin: None,
            end: None,
            setting: "lr".to_owned(),
            groups: Vec::new(),
        }
    }

    fn is_better(&self, value: f64, better: Better) -> bool {
        let (best, margin) = (self.course.best, self.threshold);
        match (better, self.threshold_mode) {
            (Better::Lower, mode) => {
                let best = best.unwrap_or(f64::INFINITY);
                value < if mode == ThresholdMode::Rel { best * (1.0 - margin) } else { best - margin }
            }
            (Better::Higher, mode) => {
                let best = best.unwrap_or(f64::NEG_INFINITY);
                value > if mode == ThresholdMode::Rel { best * (1.0 + margin) } else { best + margin }
            }
            // refused before a training begins
            (Better::Neither, _) => true,
        }
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Plateau {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, _: WindowPosition) -> f64 {
        self.factor.powf(self.course.reductions as f64)
    }

    fn factor_of(&self, initial: f64, _: WindowPosition) -> f64 {
        let mut value = initial;
        for _ in 0..self.course.reductions {
            let lower = (value * self.factor).max(self.floor);
            // also ends the loop: from here on nothing changes
            if value - lower <= self.eps {
                break;
            }
            value = lower;
        }
        // 0 times anything stays 0
        if initial == 0.0 { 1.0 } else { value / initial }
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Plateau",
            &[
                ("factor", self.factor, Allowed::BelowOne),
                ("threshold", self.threshold, Allowed::NotNegative),
                ("floor", self.floor, Allowed::NotNegative),
                ("eps", self.eps, Allowed::NotNegative),
            ],
        )
    }

    fn watching(&mut self) -> Option<&mut dyn Watching> {
        Some(self)
    }
}

impl Watching for Plateau {
    fn monitor(&self) -> &MetricName {
        &self.monitor
    }

    fn begin(&mut self, measured_by: &str) -> Option<String> {
        let other = !self.course.by.is_empty() && self.course.by != measured_by;
        if other {
            (self.course.best, self.course.waited, self.course.cooldown) = (None, 0, 0);
        }
        measured_by.clone_into(&mut self.course.by);
        let monitor = &self.monitor;
        other.then(|| format!("`{monitor}` is now measured by another metric or with other weights, so `Plateau` forgets its best value"))
    }

    fn take(&mut self, value: f64, better: Better) -> Option<String> {
        if self.is_better(value, better) {
            (self.course.best, self.course.waited) = (Some(value), 0);
        } else {
            self.course.waited += 1;
        }
        if self.course.cooldown > 0 {
            (self.course.cooldown, self.course.waited) = (self.course.cooldown - 1, 0);
        }
        if self.course.waited <= self.patience {
            return None;
        }
        let waited = std::mem::take(&mut self.course.waited);
        self.course.cooldown = self.cooldown;
        self.course.reductions += 1;
        let best = self.course.best.map_or(String::new(), |best| format!(" than {best}"));
        let Plateau { monitor, setting, factor, .. } = self;
        Some(format!(
            "`{monitor}` has not become better{best} for {waited} validations: `{setting}` is multiplied by {factor}"
        ))
    }
}

impl State for Plateau {
    fn save_state(&self) -> StateMap {
        let Course { best, waited, cooldown, reductions, by } = &self.course;
        let mut map = StateMap::new();
        map.put("best", best);
        map.put("waited", waited);
        map.put("cooldown", cooldown);
        map.put("reductions", reductions);
        map.put("by", by);
        map
    }

    fn belongs_to(&self) -> Vec<(&'static str, String)> {
        vec![("monitor", self.monitor.to_string()), ("setting", self.setting.clone())]
    }

    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        self.course = Course {
            best: state.take("best")?,
            waited: state.take("waited")?,
            cooldown: state.take("cooldown")?,
            reductions: state.take("reductions")?,
            by: state.take("by")?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANYWHERE: WindowPosition = WindowPosition { begin: 0, at: 0, length: 10 };

    #[test]
    fn what_is_no_number_is_no_improvement() {
        let mut plateau = Plateau { patience: 0, ..Plateau::new("val/loss") };
        assert!(plateau.take(f64::NAN, Better::Lower).is_some_and(|told| told.contains("better for 1 validations")));
        assert!(plateau.take(f64::INFINITY, Better::Lower).is_some());
        assert!(plateau.take(3.0, Better::Lower).is_none());
        assert!(plateau.take(f64::NAN, Better::Lower).is_some_and(|told| told.contains("better than 3 for 1")));
        assert_eq!(plateau.factor_of(0.0, ANYWHERE), 1.0);
    }

    #[test]
    fn a_million_reductions_cost_no_time_and_end_at_the_floor() {
        let mut plateau = Plateau { floor: 1e-3, eps: 0.0, ..Plateau::new("val/loss") };
        plateau.course.reductions = u64::MAX;
        assert_eq!(plateau.factor_of(0.1, ANYWHERE), 0.01);
        plateau.floor = 0.0;
        assert_eq!(plateau.factor_of(0.1, ANYWHERE), 0.0);
        // one below the floor is not raised to it
        plateau.floor = 1.0;
        assert_eq!(plateau.factor_of(0.1, ANYWHERE), 1.0);
    }

    #[test]
    fn another_metric_of_the_same_name_begins_anew_and_keeps_the_factor() {
        let mut plateau = Plateau { patience: 0, ..Plateau::new("val/loss") };
        assert_eq!(plateau.begin("MeanLoss"), None);
        plateau.take(1.0, Better::Lower);
        plateau.take(1.0, Better::Lower);
        let mut resumed = Plateau { patience: 0, ..Plateau::new("val/loss") };
        resumed.load_state(plateau.save_state()).unwrap();
        assert_eq!(resumed, plateau);
        assert_eq!(resumed.begin("MeanLoss"), None);
        assert!(resumed.begin("Perplexity").is_some_and(|told| told.contains("another metric")));
        assert!(resumed.take(5.0, Better::Lower).is_none());
        assert_eq!(resumed.factor(ANYWHERE), 0.1);
    }
}
