//! Down by a factor at named moments.

use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::schedule::{Schedule, Window, WindowPosition};
use crate::windowed;
use engine_macros::component;

windowed! {
    /// The initial value times `gamma` for every milestone that is reached, as
    /// `torch.optim.lr_scheduler.MultiStepLR`. Milestones are moments of the training, as `begin` and `end` are: a
    /// warm-up before them does not move them.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{GroupName, PlannedLength, TrainingProgress, Schedules};
    ///
    /// let schedule: Schedules = engine::config::parse_text("example", "[MultiStep(milestones: [3, 8], by: Epoch)]")?.read()?;
    /// let planned = PlannedLength::epochs(10, 10);
    /// let lr = |iter| {
    ///     let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned };
    ///     schedule.value("lr", GroupName { optimizer: "opt", group: "default" }, 0.1, &progress).unwrap().unwrap()
    /// };
    /// let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    /// assert!(is_near(lr(29), 0.1) && is_near(lr(30), 0.01) && is_near(lr(80), 0.001));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[component(schedule)]
    #[derive(PartialEq)]
    pub struct MultiStep {
        /// The moments, on the schedule's clock, each later than the one before.
        #[config(example = vec![100, 200])]
        pub milestones: Vec<u64>,
        /// What each milestone multiplies by, above 0.
        #[config(default = 0.1)]
        pub gamma: f64,
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for MultiStep {
    fn window(&self) -> Window<'_> {
        self.fields_window()
    }

    fn factor(&self, place: WindowPosition) -> f64 {
        let now = place.begin + place.within();
        let reached = self.milestones.iter().filter(|milestone| **milestone <= now).count();
        self.gamma.powf(reached as f64)
    }

    fn milestones(&self) -> &[u64] {
        &self.milestones
    }

    fn check(&self) -> Result<(), OptimError> {
        check_ranges("MultiStep", &[("gamma", self.gamma, Allowed::Positive)])?;
        let increasing = self.milestones.windows(2).all(|pair| pair[0] < pair[1]);
        if self.milestones.is_empty() || !increasing {
            let why = "`milestones` needs at least one number, and each must be larger than the one before";
            return Err(OptimError::Contradiction { owner: "MultiStep".into(), why: why.into() });
        }
        Ok(())
    }
}
