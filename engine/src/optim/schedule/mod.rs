//! Schedules: how a setting changes over a training.
//!
//! A schedule is a pure function of the clock: it gives a factor for a place in its window, and a setting is
//! its initial value times that factor. It keeps no state, so a resumed run needs none, and an edited file
//! takes effect at once. Clocks count updates and passes, never batches.

mod chain;
mod constant;
mod cosine;
mod exponential;
mod linear;
mod multi_step;
mod poly;
mod step;
mod window;

pub use chain::{Problem, Schedules};
pub use constant::Constant;
pub use cosine::Cosine;
pub use exponential::Exponential;
pub use linear::Linear;
pub use multi_step::MultiStep;
pub use poly::Poly;
pub use step::Step;
pub use window::{PlannedLength, TrainingLength, TrainingProgress, Window, WindowPosition};

use crate::optim::error::OptimError;
use std::fmt::Debug;

/// One schedule, as an experiment file writes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no schedule",
    label = "not a schedule",
    note = "implement `Schedule` for a schedule of your own: a window, and a factor for each place in it"
)]
pub trait Schedule: Debug + Send + Sync {
    /// When it holds, and for what.
    fn window(&self) -> Window<'_>;

    /// What the initial value is multiplied by. `place` goes from the window's begin to its end, both included:
    /// the factor at the end is what stays.
    fn factor(&self, place: WindowPosition) -> f64;

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
