//! Down along half a cosine.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::kinds::floor::{check_floor, finish_of};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// From `start` times the initial value to `finish` times it along half a cosine (Loshchilov and Hutter, 2017), as
    /// `torch.optim.lr_scheduler.CosineAnnealingLR` with `T_max` the window's length and `eta_min` `finish` times
    /// the initial value, or `floor`.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[Cosine(finish: 0.2)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(0), 0.1) && is_near(lr(50), 0.06) && is_near(lr(100), 0.02));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Cosine {
        /// The factor at the begin, at least 0.
        #[config(default = 1.0, range = 0.0..)]
        pub start: f64,
        /// The factor at the end, at least 0.
        #[config(default = 0.0, range = 0.0..)]
        pub finish: f64,
        /// The value at the end, instead of a factor: the same for groups whose initial values differ.
        #[config(default, range = 0.0..)]
        pub floor: Option<f64>,
    }
}

impl Cosine {
    fn between(&self, finish: f64, place: WindowPosition) -> f64 {
        let half = (1.0 + (std::f64::consts::PI * place.fraction()).cos()) / 2.0;
        finish + (self.start - finish) * half
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Cosine {
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
        check_floor("Cosine", self.finish, self.floor)?;
        let floor = self.floor.unwrap_or(0.0);
        let (start, finish) =
            (("start", self.start, Allowed::NotNegative), ("finish", self.finish, Allowed::NotNegative));
        check_ranges("Cosine", &[start, finish, ("floor", floor, Allowed::NotNegative)])
    }
}
