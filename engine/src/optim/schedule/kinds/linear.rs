//! A straight line: warm-up, or down to the end.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    length;
    /// A straight line from `start` to `finish` times the initial value, as `torch.optim.lr_scheduler.LinearLR`
    /// with `start_factor` and `end_factor`. With its defaults, a warm-up.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[Linear(start: 0.0, iters: 20)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(0), 0.0) && is_near(lr(10), 0.05) && is_near(lr(20), 0.1) && is_near(lr(99), 0.1));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Linear {
        /// The factor at the begin, at least 0.
        #[config(default = 1.0 / 3.0, range = 0.0..)]
        pub start: f64,
        /// The factor at the end, at least 0.
        #[config(default = 1.0, range = 0.0..)]
        pub finish: f64,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Linear {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        self.start + (self.finish - self.start) * place.fraction()
    }

    fn check(&self) -> Result<(), OptimError> {
        self.check_length()?;
        check_ranges(
            "Linear",
            &[("start", self.start, Allowed::NotNegative), ("finish", self.finish, Allowed::NotNegative)],
        )
    }
}
