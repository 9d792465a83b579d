//! Up and down along straight lines, again and again.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::kinds::momentum::check_momentum;
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// From `start` to `peak` times the initial value and back along straight lines, again and again (Smith, 2017), as
    /// `torch.optim.lr_scheduler.CyclicLR`. The learning rate of the file is PyTorch's `max_lr`, `start` is `base_lr / max_lr`.
    ///
    /// With `momentum: (0.8, 0.9)` the momentum goes the other way, as with `cycle_momentum`, `base_momentum` and
    /// `max_momentum`; Adam's is its first beta. Without it, the momentum stays.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let text = "[Cyclic(start: 0.1, up: 10, down: 20, height: Halved)]";
    /// let schedule: Schedules = engine::config::parse_text("example", text)?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &progress).unwrap().unwrap()
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
        /// The momentum at the top of the first cycle, and between cycles: at least 0, whatever the file says of it. Without
        /// it, it stays as it is.
        #[config(default)]
        pub momentum: Option<(f64, f64)>,
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
        self.start + (self.peak - self.start) * self.risen(place)
    }

    fn beside(&self) -> Option<&str> {
        self.momentum.map(|_| "momentum")
    }

    fn factor_beside(&self, initial: f64, place: WindowPosition) -> f64 {
        let (base, most) = self.momentum.unwrap_or((initial, initial));
        (most - (most - base) * self.risen(place)) / initial
    }

    fn check(&self) -> Result<(), OptimError> {
        check_momentum("Cyclic", &self.setting, self.momentum)?;
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

impl Cyclic {
    /// How far it has come from `start` to the top of the first cycle.
    fn risen(&self, place: WindowPosition) -> f64 {
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
        risen * height
    }
}
