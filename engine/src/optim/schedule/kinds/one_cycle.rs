//! Up, and down to far below where it began.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::kinds::curve::Curve;
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// From `start` times the initial value up to `peak` times it, and down to `finish` times it (Smith and Topin, 2018),
    /// as `torch.optim.lr_scheduler.OneCycleLR` with `total_steps` the window's length. The last update of the window
    /// has the last value.
    ///
    /// The learning rate of the file is the largest, PyTorch's `max_lr`: `start` is `1 / div_factor`, and `finish` is
    /// `1 / (div_factor * final_div_factor)`. The momentum has a schedule of its own that goes the other way:
    /// `OneCycle(setting: "momentum", start: 1.0, peak: 0.895, finish: 1.0)` is `max_momentum=0.95` with
    /// `base_momentum=0.85`, when the momentum of the file is 0.95.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let text = r#"[OneCycle(), OneCycle(setting: "momentum", start: 1.0, peak: 0.9, finish: 1.0)]"#;
    /// let schedule: Schedules = engine::config::parse_text("example", text)?.read()?;
    /// let planned = PlannedLength { max_epochs: 10, max_iters: 100, iters_per_epoch: 10 };
    /// let value = |setting, initial, iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value(setting, GroupName { optimizer: "opt", group: "default" }, initial, &progress).unwrap()
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
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for OneCycle {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        let (at, length) = (place.within() as f64, place.length as f64);
        let top = self.rise * length - 1.0;
        let last = length - 1.0;
        let down = (2.0 * self.rise * length - 2.0, self.peak, self.start);
        let [first, second, third] = match self.three_phase {
            true => [(top, self.start, self.peak), down, (last, self.start, self.finish)],
            // no phase of its own between top and end
            false => [(top, self.start, self.peak), (top, self.peak, self.peak), (last, self.peak, self.finish)],
        };
        let (begin, (end, from, to)) = match at {
            at if at <= first.0 => (0.0, first),
            at if at <= second.0 => (first.0, second),
            _ => (second.0, third),
        };
        let fraction = if end > begin { (at - begin) / (end - begin) } else { 1.0 };
        self.curve.between(from, to, fraction)
    }

    fn check(&self) -> Result<(), OptimError> {
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
