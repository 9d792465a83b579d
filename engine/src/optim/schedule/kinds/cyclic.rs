//! Up and down along straight lines, again and again.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// From `start` to `peak` times the initial value and back along straight lines, again and again (Smith, 2017), as
    /// `torch.optim.lr_scheduler.CyclicLR`. The learning rate of the file is PyTorch's `max_lr`, `start` is `base_lr / max_lr`.
    ///
    /// The momentum has a schedule of its own that goes the other way: `Cyclic(setting: "momentum", start: 1.0, peak: 0.9)`
    /// is `max_momentum` of the file's momentum with `base_momentum` of 0.9 times it.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let text = "[Cyclic(start: 0.1, up: 10, down: 20, height: Halved)]";
    /// let schedule: Schedules = engine::config::parse_text("example", text)?.read()?;
    /// let planned = PlannedLength { max_epochs: 10, max_iters: 100, iters_per_epoch: 10 };
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &progress).unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(0), 0.1) && is_near(lr(10), 1.0) && is_near(lr(20), 0.55) && is_near(lr(30), 0.1));
    /// // the second top is half as high above `start`
    /// assert!(is_near(lr(40), 0.55));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct Cyclic {
        /// The factor between cycles, at least 0.
        #[config(example = 0.1, range = 0.0..)]
        pub start: f64,
        /// The factor at the top of the first cycle, at least 0.
        #[config(default = 1.0, range = 0.0..)]
        pub peak: f64,
        /// The counts from `start` to the top, at least 1; PyTorch's `step_size_up`.
        #[config(example = 2000, range = 1..)]
        pub up: u64,
        /// The counts from the top to `start`, at least 1; without it, as many as up.
        #[config(default, range = 1..)]
        pub down: Option<u64>,
        /// How high later cycles are; PyTorch's `mode`.
        #[config(default = Height::Same)]
        pub height: Height,
    }
}

/// How high a cycle is above `start`.
#[component]
#[derive(Copy, PartialEq)]
pub enum Height {
    /// All cycles are as high as the first; PyTorch's `triangular`.
    Same,
    /// Each cycle is half as high as the one before; PyTorch's `triangular2`.
    Halved,
    /// The height is multiplied by `gamma` with each count; PyTorch's `exp_range`.
    Decayed {
        /// The factor of each count, above 0.
        gamma: f64,
    },
}

#[diagnostic::do_not_recommend]
impl Schedule for Cyclic {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        let up = self.up.max(1);
        let down = self.down.unwrap_or(up).max(1);
        let total = up.saturating_add(down);
        let (cycle, within) = (place.at / total, place.at % total);
        let risen = if within <= up { within as f64 / up as f64 } else { (total - within) as f64 / down as f64 };
        let height = match self.height {
            Height::Same => 1.0,
            Height::Halved => 0.5f64.powf(cycle as f64),
            Height::Decayed { gamma } => gamma.powf(place.at as f64),
        };
        self.start + (self.peak - self.start) * risen * height
    }

    fn check(&self) -> Result<(), OptimError> {
        let gamma = if let Height::Decayed { gamma } = self.height { gamma } else { 1.0 };
        check_ranges(
            "Cyclic",
            &[
                ("start", self.start, Allowed::NotNegative),
                ("peak", self.peak, Allowed::NotNegative),
                ("up", self.up as f64, Allowed::Positive),
                ("down", self.down.map_or(1.0, |down| down as f64), Allowed::Positive),
                ("height.gamma", gamma, Allowed::Positive),
            ],
        )
    }
}
