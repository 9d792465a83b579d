//! The learning rate of the first Transformer.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// The initial value times `d_model^-0.5 * min(n^-0.5, n * warm_up^-1.5)` at count `n` since the begin, counted from 1
    /// (Vaswani et al., 2017, section 5.3). The largest factor is `(d_model * warm_up)^-0.5`; with a learning rate of 1 in
    /// the file, the factor is the learning rate.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[Noam(d_model: 100, warm_up: 25)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(0), 0.1 / 125.0) && is_near(lr(24), 0.1 / 5.0) && is_near(lr(99), 0.1 / 10.0));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Noam {
        /// The width of the model, at least 1.
        #[config(example = 512, range = 1..)]
        pub d_model: u64,
        /// The counts of the warm-up, at least 1.
        #[config(default = 4000, range = 1..)]
        pub warm_up: u64,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Noam {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        let (n, warm_up) = (place.at as f64 + 1.0, self.warm_up.max(1) as f64);
        (self.d_model.max(1) as f64).powf(-0.5) * n.powf(-0.5).min(n * warm_up.powf(-1.5))
    }

    fn shortest(&self) -> u64 {
        self.warm_up
    }

    fn check(&self) -> Result<(), OptimError> {
        let width = ("d_model", self.d_model as f64, Allowed::Positive);
        check_ranges("Noam", &[width, ("warm_up", self.warm_up as f64, Allowed::Positive)])
    }
}
