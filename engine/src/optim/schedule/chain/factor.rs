//! The factor of one schedule of a list.

use crate::base::panics;
use crate::optim::error::OptimError;
use crate::optim::groups::GroupName;
use crate::optim::schedule::{ScheduleConfig, WindowPosition};

/// The setting of a group that schedules change.
pub(super) struct Target<'a> {
    pub(super) setting: &'a str,
    pub(super) group: GroupName<'a>,
    pub(super) initial: f64,
}

impl Target<'_> {
    /// Whether a schedule changes it besides the setting of its window.
    pub(super) fn is_beside(&self, schedule: &dyn ScheduleConfig) -> bool {
        schedule.window().setting != self.setting
    }
}

/// A schedule that has begun: its window on the clock of iters, and the moment in it.
pub(super) struct Begun {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) place: WindowPosition,
}

/// The factor of a schedule, which may be a function of the user's.
pub(super) fn factor_in(
    schedule: &dyn ScheduleConfig,
    index: usize,
    target: &Target<'_>,
    place: WindowPosition,
) -> Result<f64, OptimError> {
    let factor = panics::message_of(|| match target.is_beside(schedule) {
        false => schedule.factor_of(target.initial, place),
        true => schedule.factor_beside(target.initial, place),
    });
    let why = match factor {
        Ok(factor) if factor.is_finite() && factor >= 0.0 => return Ok(factor),
        Ok(factor) => format!("gives the factor {factor}; a factor has to be a finite number of at least 0"),
        Err(panicked) => format!("panicked: {panicked}"),
    };
    let (schedule, setting) = (schedule.typetag_name(), target.setting.to_owned());
    Err(OptimError::Factor { index, schedule, setting, at: place.at, length: place.length, why })
}
