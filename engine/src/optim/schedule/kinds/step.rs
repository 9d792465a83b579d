//! Down by a factor at regular intervals.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// The initial value times `gamma` for every full `every` counts since the begin, as
    /// `torch.optim.lr_scheduler.StepLR` with `step_size`.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[Step(every: 30, gamma: 0.5)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(29), 0.1) && is_near(lr(30), 0.05) && is_near(lr(60), 0.025));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Step {
        /// The interval, on the schedule's clock, at least 1.
        #[config(example = 100, range = 1..)]
        pub every: u64,
        /// What each interval multiplies by, above 0.
        #[config(default = 0.1)]
        pub gamma: f64,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Step {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        self.gamma.powf((place.within() / self.every.max(1)) as f64)
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "Step",
            &[("every", self.every as f64, Allowed::Positive), ("gamma", self.gamma, Allowed::Positive)],
        )
    }
}
