//! Up, and down to far below where it began.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::kinds::curve::Curve;
use crate::optim::schedule::kinds::momentum::check_momentum;
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// From `start` times the initial value up to `peak` times it, and down to `finish` times it (Smith and Topin, 2018),
    /// as `torch.optim.lr_scheduler.OneCycleLR` with `total_steps` the window's length. The last update of the window
    /// has the last value.
    ///
    /// The learning rate of the file is the largest, PyTorch's `max_lr`: `start` is `1 / div_factor`, and `finish` is
    /// `1 / (div_factor * final_div_factor)`. With `momentum: (0.85, 0.95)` the momentum goes the other way, as with
    /// `cycle_momentum`, `base_momentum` and `max_momentum`; Adam's is its first beta. Without it, the momentum stays.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let text = "[OneCycle(momentum: (0.855, 0.95))]";
    /// let schedule: Schedules = engine::config::parse_text("example", text)?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let value = |setting, initial, iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value(setting, GroupName { optimizer: "opt", group: "default" }, initial, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(value("lr", 0.1, 0), 0.004) && is_near(value("lr", 0.1, 29), 0.1) && is_near(value("lr", 0.1, 99), 4e-7));
    /// assert!(is_near(value("momentum", 0.95, 0), 0.95) && is_near(value("momentum", 0.95, 29), 0.855));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct OneCycle {
        /// The factor at the begin, at least 0.
        #[config(default = 0.04, range = 0.0..)]
        pub start: f64,
        /// The factor at the top, at least 0.
        #[config(default = 1.0, range = 0.0..)]
        pub peak: f64,
        /// The factor at the end, at least 0.
        #[config(default = 4e-6, range = 0.0..)]
        pub finish: f64,
        /// The part of the window in which it rises, 0 to 1; PyTorch's `pct_start`.
        #[config(default = 0.3, range = 0.0..=1.0)]
        pub rise: f64,
        /// How it rises and falls.
        #[config(default = Curve::Cosine)]
        pub curve: Curve,
        /// Down to `start` as fast as up, and then to `finish`, instead of at once.
        #[config(default = false)]
        pub three_phase: bool,
        /// The momentum at the top, and at the begin and the end: at least 0, whatever the file says of it. Without it, it
        /// stays as it is.
        #[config(default)]
        pub momentum: Option<(f64, f64)>,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for OneCycle {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        self.between(self.start, self.peak, self.finish, place)
    }

    fn beside(&self) -> Option<&str> {
        self.momentum.map(|_| "momentum")
    }

    fn factor_beside(&self, initial: f64, place: WindowPosition) -> f64 {
        let (base, most) = self.momentum.unwrap_or((initial, initial));
        self.between(most, base, most, place) / initial
    }

    fn check(&self) -> Result<(), OptimError> {
        check_momentum("OneCycle", &self.setting, self.momentum)?;
        check_ranges(
            "OneCycle",
            &[
                ("start", self.start, Allowed::NotNegative),
                ("peak", self.peak, Allowed::NotNegative),
                ("finish", self.finish, Allowed::NotNegative),
                ("rise", self.rise, Allowed::UpToOne),
            ],
        )
    }
}

impl OneCycle {
    /// From `start` to `peak` and on to `finish`.
    fn between(&self, start: f64, peak: f64, finish: f64, place: WindowPosition) -> f64 {
        let (at, length) = (place.within() as f64, place.length as f64);
        let top = self.rise * length - 1.0;
        let last = length - 1.0;
        let down = (2.0 * self.rise * length - 2.0, peak, start);
        let [first, second, third] = match self.three_phase {
            true => [(top, start, peak), down, (last, start, finish)],
            // no phase of its own between top and end
            false => [(top, start, peak), (top, peak, peak), (last, peak, finish)],
        };
        let (begin, (end, from, to)) = match at {
            at if at <= first.0 => (0.0, first),
            at if at <= second.0 => (first.0, second),
            _ => (second.0, third),
        };
        let fraction = if end > begin { (at - begin) / (end - begin) } else { 1.0 };
        self.curve.between(from, to, fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_any_length_give_numbers_within_its_factors() {
        for three_phase in [false, true] {
            for rise in [0.0, 0.3, 0.6, 1.0] {
                let cycle = OneCycle { rise, three_phase, ..ron::from_str("()").unwrap() };
                for (length, at) in (0..8).flat_map(|length| (0..=length).map(move |at| (length, at))) {
                    let factor = cycle.factor(WindowPosition { begin: 0, at, length });
                    assert!((0.0..=1.0).contains(&factor), "{cycle:?} at {at} of {length}: {factor}");
                }
            }
        }
    }
}
