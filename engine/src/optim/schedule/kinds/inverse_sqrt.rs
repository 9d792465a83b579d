//! A warm-up, and down with the square root of the time.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// Along a straight line from `start` to 1 times the initial value, and then down as `1 / sqrt(n)`: at count `n` since
    /// the begin the factor is `sqrt(timescale / (n - warm_up + timescale))`. The formula is that of `get_inverse_sqrt_schedule`
    /// of Hugging Face Transformers, and without `timescale` that of fairseq's `inverse_sqrt` too.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[InverseSqrt(warm_up: 20)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(0), 0.0) && is_near(lr(10), 0.05) && is_near(lr(20), 0.1) && is_near(lr(80), 0.05));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct InverseSqrt {
        /// The counts of the warm-up; 0: none.
        #[config(example = 4000)]
        pub warm_up: u64,
        /// The factor at the begin of the warm-up, at least 0.
        #[config(default = 0.0, range = 0.0..)]
        pub start: f64,
        /// The factor is one half after three times this many counts from the end of the warm-up; without it, as many as
        /// the warm-up has.
        #[config(default, range = 1..)]
        pub timescale: Option<u64>,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for InverseSqrt {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        if place.at < self.warm_up {
            return self.start + (1.0 - self.start) * (place.at as f64 / self.warm_up as f64);
        }
        let timescale = self.timescale.unwrap_or(self.warm_up).max(1) as f64;
        (timescale / ((place.at - self.warm_up) as f64 + timescale)).sqrt()
    }

    fn shortest(&self) -> u64 {
        self.warm_up
    }

    fn check(&self) -> Result<(), OptimError> {
        if self.warm_up == 0 && self.timescale.is_none() {
            let why = "without a `warm_up` it needs a `timescale`, how fast it goes down";
            return Err(OptimError::Contradiction { owner: "InverseSqrt".into(), why: why.into() });
        }
        let timescale = self.timescale.map_or(1.0, |timescale| timescale as f64);
        let start = ("start", self.start, Allowed::NotNegative);
        check_ranges("InverseSqrt", &[start, ("timescale", timescale, Allowed::Positive)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_warm_up_it_needs_a_timescale() {
        let schedule = |timescale| InverseSqrt { timescale, ..ron::from_str("(warm_up: 0)").unwrap() };
        let error = schedule(None).check().unwrap_err().to_string();
        assert_eq!(error, "`InverseSqrt`: without a `warm_up` it needs a `timescale`, how fast it goes down");
        assert!(schedule(Some(10)).check().is_ok());
        assert_eq!(schedule(Some(10)).factor(WindowPosition { begin: 0, at: 30, length: 100 }), 0.5);
    }
}
