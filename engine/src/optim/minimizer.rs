//! What an optimizer is whose updates need the loss at several points.

use crate::base::Result;
use crate::base::state::State;
use crate::native::{NativeError, TensorList};
use crate::optim::algorithm::{Algorithm, Slot, StepInputs};
use crate::optim::settings::Settings;
use std::fmt::Debug;
use tch::Tensor;

/// An update that computes the loss and its gradient at several points, as a line search does. Its recipe gives it in
/// [`Optimizer::minimizer`](crate::optim::Optimizer::minimizer). Its state is in checkpoints.
///
/// It reads the loss on the host in every update. That is why it is no [`Algorithm`].
pub trait Minimizer: State + Debug + Send {
    /// One update. The parameters hold the gradient at the point where they are, and `loss` is the loss there.
    ///
    /// # Errors
    /// Those of `evaluate`, and those of libtorch. The parameters may then be at any point that was tried.
    fn update(&mut self, objective: Objective<'_>) -> Result<()>;

    /// How many tensors of the size of all parameters its state has at most.
    fn state_tensors(&self) -> u64;
}

/// The loss as a function of the parameters, for one update.
pub struct Objective<'a> {
    /// The parameters, in the optimizer's order: all on one device and of one kind.
    pub parameters: &'a [Tensor],
    /// The settings of the only group.
    pub settings: &'a Settings,
    /// The loss where the parameters are.
    pub loss: f64,
    /// Computes the loss where the parameters are now, and leaves its gradient in them.
    pub evaluate: &'a mut dyn FnMut() -> Result<f64>,
}

/// What such an optimizer does with a gradient alone: nothing.
#[derive(Debug)]
pub(super) struct NeedsLoss;

impl Algorithm for NeedsLoss {
    fn slots(&self) -> &'static [Slot] {
        &[]
    }

    fn step(&self, _: &TensorList, _: &mut [TensorList], _: &StepInputs<'_>) -> Result<(), NativeError> {
        Err(NativeError::argument("its update needs the loss at several points: call `Optim::minimize`"))
    }
}
