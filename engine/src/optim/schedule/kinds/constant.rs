//! A constant factor during the window.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    length;
    /// The initial value times `factor` until the window ends, the initial value from then on; as
    /// `torch.optim.lr_scheduler.ConstantLR`.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[Constant(factor: 0.1, iters: 5)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(4), 0.01) && is_near(lr(5), 0.1));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Constant {
        /// What the initial value is multiplied by, at least 0.
        #[config(default = 1.0, range = 0.0..)]
        pub factor: f64,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Constant {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        if place.at < place.length { self.factor } else { 1.0 }
    }

    fn check(&self) -> Result<(), OptimError> {
        self.check_length()?;
        check_ranges("Constant", &[("factor", self.factor, Allowed::NotNegative)])
    }
}
