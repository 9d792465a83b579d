//! Down by a factor each time.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// The initial value times `gamma` to the power of the counts since the begin, as
    /// `torch.optim.lr_scheduler.ExponentialLR`.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[Exponential(gamma: 0.5, by: Epoch)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(9), 0.1) && is_near(lr(10), 0.05) && is_near(lr(25), 0.025));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Exponential {
        /// What each count multiplies by, above 0.
        #[config(example = 0.999)]
        pub gamma: f64,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Exponential {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        self.gamma.powf(place.within() as f64)
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges("Exponential", &[("gamma", self.gamma, Allowed::Positive)])
    }
}
