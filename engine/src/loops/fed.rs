//! A loader of an evaluation together with the step that takes its batches, whose type differs from loader to loader.

use crate::base::Result;
use crate::data::{Batch, BatchSource};
use crate::run::Context;

/// A val, test or predict loader of the trainer `T`, and the step for its batches.
pub trait FedStep<T> {
    /// The batch of the loader and of the step.
    type Batch: Batch;
    /// The result of the step for a batch: an [`Output`](crate::base::Output) or a
    /// [`Prediction`](crate::base::Prediction).
    type Answer;

    /// The loader.
    fn loader<'t>(&self, trainer: &'t mut T) -> &'t mut dyn BatchSource<Self::Batch>;

    /// The step.
    ///
    /// # Errors
    /// What goes wrong in it.
    fn step(&self, trainer: &mut T, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Self::Answer>;
}

/// An operation on a loader and its step, for any type of batch.
pub trait VisitLoader<T, A> {
    /// The result.
    type Value;

    /// Runs the operation.
    fn visit<F: FedStep<T, Answer = A>>(self, fed: F) -> Self::Value;
}
