//! A warm-up, a long constant part, and a decay at the end.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::kinds::curve::Curve;
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// Along a straight line from `start` to 1 times the initial value in `warm_up` counts, then the initial value, and in
    /// the last `decay` counts of the window down to `finish` times it (WSD: Hu et al., 2024). The formula is that of
    /// `get_wsd_schedule` of Hugging Face Transformers, where `min_lr_ratio` is both `start` and `finish`.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let text = "[WarmUpStableDecay(warm_up: 10, decay: 20, curve: Linear)]";
    /// let schedule: Schedules = engine::config::parse_text("example", text)?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(5), 0.05) && is_near(lr(10), 0.1) && is_near(lr(80), 0.1) && is_near(lr(90), 0.05) && is_near(lr(100), 0.0));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct WarmUpStableDecay {
        /// The counts of the warm-up; 0: none.
        #[config(example = 1000)]
        pub warm_up: u64,
        /// The counts of the decay, at least 1.
        #[config(example = 2000, range = 1..)]
        pub decay: u64,
        /// The factor at the begin, at least 0.
        #[config(default = 0.0, range = 0.0..)]
        pub start: f64,
        /// The factor at the end, at least 0.
        #[config(default = 0.0, range = 0.0..)]
        pub finish: f64,
        /// How it decays.
        #[config(default = Curve::Cosine)]
        pub curve: Curve,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for WarmUpStableDecay {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        let decays_from = place.length.saturating_sub(self.decay);
        if place.at < self.warm_up {
            Curve::Linear.between(self.start, 1.0, place.at as f64 / self.warm_up as f64)
        } else if place.at < decays_from {
            1.0
        } else {
            let done = (place.at - decays_from) as f64 / self.decay.max(1) as f64;
            self.curve.between(1.0, self.finish, done.min(1.0))
        }
    }

    fn shortest(&self) -> u64 {
        self.warm_up.saturating_add(self.decay)
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges(
            "WarmUpStableDecay",
            &[
                ("decay", self.decay as f64, Allowed::Positive),
                ("start", self.start, Allowed::NotNegative),
                ("finish", self.finish, Allowed::NotNegative),
            ],
        )
    }
}
