//! Schedules: how a setting changes over a training.
//!
//! A schedule is a pure function of the clock: it gives a factor for a place in its window, and a setting is
//! its initial value times that factor. It keeps no state, so a resumed run needs none, and an edited file
//! takes effect at once. Clocks count updates and passes, never batches.

mod chain;
mod constant;
mod cosine;
mod exponential;
mod floor;
mod linear;
mod multi_step;
mod poly;
mod problems;
mod step;
mod window;
mod windowed;

pub use chain::Schedules;
pub use constant::Constant;
pub use cosine::Cosine;
pub use exponential::Exponential;
pub use linear::Linear;
pub use multi_step::MultiStep;
pub use poly::Poly;
pub use problems::Problem;
pub use step::Step;
pub use window::{PlannedLength, TrainingLength, TrainingProgress, Window, WindowPosition, check_length};

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
    /// When it holds, and for what.
    fn window(&self) -> Window<'_>;

    /// What the initial value is multiplied by. `place` goes from the window's begin to its end, both included:
    /// the factor at the end is what stays.
    fn factor(&self, place: WindowPosition) -> f64;

    /// As [`Schedule::factor`] for a group with this initial value, where the factor depends on it: a schedule that ends
    /// at a value, not at a factor.
    fn factor_of(&self, initial: f64, place: WindowPosition) -> f64 {
        let _ = initial;
        self.factor(place)
    }

    /// Moments on its clock at which something changes; each has to come before the training ends.
    fn milestones(&self) -> &[u64] {
        &[]
    }

    /// Whether its numbers make sense.
    ///
    /// # Errors
    /// The first thing that does not.
    fn check(&self) -> Result<(), OptimError>;
}

/// A schedule that a file can choose. `#[component(schedule)]` implements and registers it.
#[typetag::serde]
pub trait ScheduleConfig: Schedule {}
