//! Scheduled settings, and the factor of learning rates after the run went back to an earlier state.

use crate::optim::error::OptimError;
use crate::optim::groups::GroupName;
use crate::optim::live::Optim;
use crate::optim::schedule::TrainingProgress;
use crate::optim::update::Updates;

impl Updates {
    /// Sets every scheduled setting to its value at the clock.
    ///
    /// # Errors
    /// When a schedule gives a value that is not finite.
    pub fn apply_schedules(&mut self, progress: &TrainingProgress) -> Result<(), OptimError> {
        self.schedules.apply(&mut self.optimizers, progress)?;
        if self.lr_scale == 1.0 {
            return Ok(());
        }
        let (scale, schedules) = (self.lr_scale, &self.schedules);
        multiply_lr(&mut self.optimizers, scale, |name, initial| schedules.has_begun("lr", name, initial, progress))
    }

    /// Sets what learning rates are multiplied by. Where a schedule sets the rate, this has effect when it does so next.
    ///
    /// # Errors
    /// When a rate is no longer finite.
    pub(crate) fn set_lr_scale(&mut self, scale: f64, progress: &TrainingProgress) -> Result<(), OptimError> {
        if scale == self.lr_scale {
            return Ok(());
        }
        let (factor, schedules) = (scale / self.lr_scale, &self.schedules);
        self.lr_scale = scale;
        multiply_lr(&mut self.optimizers, factor, |name, initial| !schedules.has_begun("lr", name, initial, progress))
    }

    /// What learning rates are multiplied by.
    pub(crate) fn lr_scale(&self) -> f64 {
        self.lr_scale
    }

    /// Restores the scale from a checkpoint; the rates themselves are in the states of the optimizers.
    pub(crate) fn restore_lr_scale(&mut self, scale: f64) {
        self.lr_scale = scale;
    }
}

/// Multiplies the learning rates of the groups that are chosen.
fn multiply_lr(
    optimizers: &mut [Optim],
    factor: f64,
    chosen: impl Fn(GroupName<'_>, f64) -> bool,
) -> Result<(), OptimError> {
    for optimizer in optimizers {
        let (name, groups) = optimizer.name_and_groups_mut();
        for group in groups {
            let (Some(lr), Some(initial)) = (group.settings().get("lr"), group.settings().initial("lr")) else {
                continue;
            };
            if chosen(GroupName { optimizer: name, group: group.name() }, initial) {
                group.settings_mut().set("lr", lr * factor)?;
            }
        }
    }
    Ok(())
}
