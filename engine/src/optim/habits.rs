//! Calls that people write out of habit, as a loop in PyTorch has them.

use crate::optim::Optimizer;

/// Needed by the methods of [`LoopCalls`]. No type has it, and its message says what to do.
#[diagnostic::on_unimplemented(
    message = "the engine zeroes the gradients and takes the step of each optimizer",
    label = "leave this line out"
)]
pub trait SteppedByHand {}

/// Hidden methods that nothing can call.
pub trait LoopCalls: Optimizer {
    /// `self.opt.zero_grad()`.
    fn zero_grad(&self)
    where
        Self: SteppedByHand,
    {
    }

    /// `self.opt.step()`.
    fn step(&self)
    where
        Self: SteppedByHand,
    {
    }
}

impl<T: Optimizer + ?Sized> LoopCalls for T {}
