//! Down along a power of the time that is left.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::kinds::floor::{check_floor, finish_of};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// From the initial value down to `finish` times it, along `(1 - t)^power` with `t` the part of the window that
    /// is over; with `finish: 0` as `torch.optim.lr_scheduler.PolynomialLR`.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[Poly(power: 2.0)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(0), 0.1) && is_near(lr(50), 0.025) && is_near(lr(100), 0.0));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Poly {
        /// The power, above 0; 1 is a straight line.
        #[config(default = 1.0)]
        pub power: f64,
        /// The factor at the end, at least 0.
        #[config(default = 0.0, range = 0.0..)]
        pub finish: f64,
        /// The value at the end, instead of a factor: the same for groups whose initial values differ.
        #[config(default, range = 0.0..)]
        pub floor: Option<f64>,
    }
}

impl Poly {
    fn between(&self, finish: f64, place: WindowPosition) -> f64 {
        finish + (1.0 - finish) * (1.0 - place.fraction()).powf(self.power)
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Poly {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        self.between(self.finish, place)
    }

    fn factor_of(&self, initial: f64, place: WindowPosition) -> f64 {
        self.between(finish_of(self.finish, self.floor, initial), place)
    }

    fn check(&self) -> Result<(), OptimError> {
        check_floor("Poly", self.finish, self.floor)?;
        let floor = self.floor.unwrap_or(0.0);
        let (power, finish) = (("power", self.power, Allowed::Positive), ("finish", self.finish, Allowed::NotNegative));
        check_ranges("Poly", &[power, finish, ("floor", floor, Allowed::NotNegative)])
    }
}
