//! Schedules: how a setting changes during a training.
//!
//! A schedule is a pure function of the clock: it returns a factor for a position in its window, and a setting is its
//! initial value times that factor. Such a schedule has no state, so a resumed run needs none, and an edited file has
//! effect at once. A schedule that follows a metric ([`Watching`]) has one, which checkpoints contain. Clocks count
//! updates and passes, never batches.

mod chain;
mod function;
mod kinds;
mod problems;
mod samples;
mod watching;
mod window;
mod windowed;

pub use chain::Schedules;
pub use function::{FactorResult, PositionArgument};
pub use kinds::{
    Constant, Cosine, CosineRestarts, Course, Curve, Cyclic, Exponential, Height, InverseSqrt, Linear, MultiStep, Noam,
    OneCycle, Plateau, Poly, Step, ThresholdMode, WarmUpStableDecay,
};
pub use problems::Problem;
pub(crate) use problems::is_of_part;
pub use samples::SampleClock;
pub use watching::Watching;
pub use window::{Lengths, PlannedLength, TrainingLength, TrainingProgress, Window, WindowPosition, check_length};

use crate::optim::error::OptimError;
use std::fmt::Debug;

/// One schedule, as an experiment file writes it.
///
/// ```
/// use engine::base::Clock;
/// use engine::optim::schedule::{Window, WindowPosition};
/// use engine::optim::{OptimError, Schedule};
/// use engine::prelude::*;
///
/// /// Up to the initial value and down again, in equal parts.
/// #[component(schedule)] // `schedule: [Triangle()]` in experiments
/// pub struct Triangle {
///     #[config(default = Clock::Iter)]
///     pub by: Clock,
/// }
///
/// impl Schedule for Triangle {
///     fn window(&self) -> Window<'_> {
///         Window { by: self.by, begin: None, end: None, length: None, setting: "lr", groups: &[] }
///     }
///     fn factor(&self, position: WindowPosition) -> f64 {
///         1.0 - (2.0 * position.fraction() - 1.0).abs()
///     }
///     fn check(&self) -> Result<(), OptimError> {
///         Ok(())
///     }
/// }
///
/// # fn main() {
/// let triangle = Triangle { by: Clock::Iter };
/// let at = |at| triangle.factor(WindowPosition { begin: 0, at, length: 100 });
/// assert_eq!([at(0), at(25), at(50), at(100)], [0.0, 0.5, 1.0, 0.0]);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schedule",
    label = "not a schedule",
    note = "implement `Schedule` for a schedule of your own: a window, and a factor for each place in it"
)]
pub trait Schedule: Debug + Send + Sync {
    /// When it is active, and for which setting and groups.
    fn window(&self) -> Window<'_>;

    /// The factor of the initial value. `place` goes from the begin of the window to its end, both included; the
    /// factor at the end stays in effect after the window.
    fn factor(&self, place: WindowPosition) -> f64;

    /// Like [`Schedule::factor`], for a group with this initial value. Override it when the factor depends on the
    /// initial value: for a schedule that ends at a value, not at a factor.
    fn factor_of(&self, initial: f64, place: WindowPosition) -> f64 {
        let _ = initial;
        self.factor(place)
    }

    /// A second setting that it changes in the same window and for the same groups, besides that of the window: the momentum
    /// that goes down while the learning rate goes up.
    fn beside(&self) -> Option<&str> {
        None
    }

    /// [`Schedule::factor_of`] for the setting of [`Schedule::beside`], whose initial value is not 0.
    fn factor_beside(&self, initial: f64, place: WindowPosition) -> f64 {
        let _ = (initial, place);
        1.0
    }

    /// Moments on its clock at which something changes; each must be before the end of the training.
    fn milestones(&self) -> &[u64] {
        &[]
    }

    /// The length of the shortest window that has room for all its parts, in counts of its clock.
    fn shortest(&self) -> u64 {
        0
    }

    /// Checks its settings.
    ///
    /// # Errors
    /// The first invalid setting.
    fn check(&self) -> Result<(), OptimError>;

    /// What follows a metric, in a schedule that does.
    fn watching(&mut self) -> Option<&mut dyn Watching> {
        None
    }
}

/// A schedule that a file can choose. `#[component(schedule)]` implements and registers it.
#[typetag::serde]
pub trait ScheduleConfig: Schedule {}
