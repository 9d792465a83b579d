//! Half cosines one after the other.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::kinds::curve::Curve;
use crate::optim::schedule::kinds::floor::{check_floor, finish_of};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// Down along half a cosine, again and again (SGDR: Loshchilov and Hutter, 2017). Each period goes from its weight to
    /// `finish` times the initial value.
    ///
    /// Without `growth` the listed periods are all, as in MMEngine's `CosineRestartLR` with `periods` and
    /// `restart_weights`; the last value stays. With it more periods follow, each `growth` times as long as the one before:
    /// `periods: [t], growth: m` is `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts` with `T_0=t` and `T_mult=m`.
    /// No period starts at the end of the window: the value there is that of the period before.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[CosineRestarts(periods: [10], growth: 2)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// // periods of 10, 20, 40, ... updates
    /// assert!(is_near(lr(0), 0.1) && is_near(lr(5), 0.05) && is_near(lr(10), 0.1) && is_near(lr(20), 0.05) && is_near(lr(30), 0.1));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct CosineRestarts {
        /// The lengths of the periods, on the schedule's clock, each at least 1.
        #[config(example = vec![100])]
        pub periods: Vec<u64>,
        /// The factor at the begin of each listed period, at least 0; none: 1 for all. The periods of `growth` have the last.
        #[config(default)]
        pub weights: Vec<f64>,
        /// How many times as long as the period before is each that follows the listed ones; without it, none follows.
        #[config(default, range = 1..)]
        pub growth: Option<u64>,
        /// The factor at the end of each period, at least 0.
        #[config(default = 0.0, range = 0.0..)]
        pub finish: f64,
        /// The value at the end of each period, instead of a factor: the same for groups whose initial values differ.
        #[config(default, range = 0.0..)]
        pub floor: Option<f64>,
    }
}

impl CosineRestarts {
    /// The factor at the begin of the period of now, and its finished part. `restarts`: at the border of two periods the
    /// second one is meant.
    fn period(&self, at: u64, restarts: bool) -> (f64, f64) {
        let is_within = |since: u64, length: u64| since < length || (since == length && !restarts);
        let mut since = at;
        let mut length = 1;
        for (index, listed) in self.periods.iter().enumerate() {
            length = (*listed).max(1);
            if is_within(since, length) {
                return (self.weight(index), since as f64 / length as f64);
            }
            since -= length;
        }
        let last = self.weight(self.periods.len().saturating_sub(1));
        match self.growth {
            None => (last, 1.0),
            Some(0 | 1) => {
                let rest = since % length;
                let rest = if rest == 0 && !restarts { length } else { rest };
                (last, rest as f64 / length as f64)
            }
            Some(growth) => {
                length = length.saturating_mul(growth);
                while !is_within(since, length) {
                    since -= length;
                    length = length.saturating_mul(growth);
                }
                (last, since as f64 / length as f64)
            }
        }
    }

    fn weight(&self, index: usize) -> f64 {
        self.weights.get(index).copied().unwrap_or(1.0)
    }

    fn between(&self, finish: f64, place: WindowPosition) -> f64 {
        let (weight, fraction) = self.period(place.at, place.at < place.length);
        Curve::Cosine.between(weight, finish, fraction)
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for CosineRestarts {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        self.between(self.finish, place)
    }

    fn factor_of(&self, initial: f64, place: WindowPosition) -> f64 {
        self.between(finish_of(self.finish, self.floor, initial), place)
    }

    fn shortest(&self) -> u64 {
        match self.growth {
            None => self.periods.iter().fold(0, |sum, period| sum.saturating_add(*period)),
            Some(_) => 0,
        }
    }

    fn check(&self) -> Result<(), OptimError> {
        let contradiction = |why: &str| OptimError::Contradiction { owner: "CosineRestarts".into(), why: why.into() };
        if self.periods.is_empty() {
            return Err(contradiction("`periods` is empty; name the length of at least one period"));
        }
        for (index, period) in self.periods.iter().enumerate() {
            check_ranges("CosineRestarts", &[(&format!("periods.{index}"), *period as f64, Allowed::Positive)])?;
        }
        if !self.weights.is_empty() && self.weights.len() != self.periods.len() {
            let (weights, periods) = (self.weights.len(), self.periods.len());
            let why =
                format!("`weights` has {weights} entries and `periods` {periods}; name one weight for each period");
            return Err(contradiction(&why));
        }
        for (index, weight) in self.weights.iter().enumerate() {
            check_ranges("CosineRestarts", &[(&format!("weights.{index}"), *weight, Allowed::NotNegative)])?;
        }
        check_floor("CosineRestarts", self.finish, self.floor)?;
        let growth = self.growth.map_or(1.0, |growth| growth as f64);
        let floor = self.floor.unwrap_or(0.0);
        check_ranges(
            "CosineRestarts",
            &[
                ("growth", growth, Allowed::Positive),
                ("finish", self.finish, Allowed::NotNegative),
                ("floor", floor, Allowed::NotNegative),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restarts(ron: &str) -> CosineRestarts {
        ron::from_str(ron).unwrap()
    }

    fn factors(schedule: &CosineRestarts, length: u64, moments: &[u64]) -> Vec<f64> {
        let at = |at: &u64| schedule.factor(WindowPosition { begin: 0, at: *at, length });
        moments.iter().map(at).map(|factor| (factor * 1e9).round() / 1e9).collect()
    }

    #[test]
    fn no_period_starts_at_the_end_of_the_window() {
        let endless = restarts("(periods: [10], growth: Some(1))");
        assert_eq!(factors(&endless, 40, &[0, 5, 10, 30, 40]), [1.0, 0.5, 1.0, 1.0, 0.0]);
        let growing = restarts("(periods: [10], growth: Some(2))");
        assert_eq!(factors(&growing, 30, &[10, 20, 30]), [1.0, 0.5, 0.0]);
        assert_eq!(factors(&growing, 70, &[30, 50, 70]), [1.0, 0.5, 0.0]);
    }

    #[test]
    fn after_the_listed_periods_the_last_value_stays() {
        let finite = restarts("(periods: [10, 20], weights: [1.0, 0.5], finish: 0.1)");
        assert_eq!(factors(&finite, 100, &[0, 10, 20, 30, 99]), [1.0, 0.5, 0.3, 0.1, 0.1]);
        assert_eq!(finite.shortest(), 30);
    }

    #[test]
    fn a_growth_without_bound_comes_to_an_end() {
        let growing = restarts("(periods: [1], growth: Some(18446744073709551615))");
        assert_eq!(factors(&growing, u64::MAX, &[u64::MAX - 1]).len(), 1);
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        let refused = |ron: &str| restarts(ron).check().unwrap_err().to_string();
        assert_eq!(
            refused("(periods: [])"),
            "`CosineRestarts`: `periods` is empty; name the length of at least one period"
        );
        assert_eq!(refused("(periods: [5, 0])"), "`periods.1` of `CosineRestarts` must be above 0, got 0");
        assert_eq!(
            refused("(periods: [5, 6], weights: [1.0])"),
            "`CosineRestarts`: `weights` has 1 entries and `periods` 2; name one weight for each period"
        );
    }
}
