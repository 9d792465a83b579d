//! A loader of an evaluation together with the step that takes its batches, whose type differs from loader to loader.

use crate::base::Result;
use crate::data::{Batch, BatchSource};
use crate::run::Context;

/// A val, test or predict loader of the trainer `T`, and the step that it feeds.
pub trait FedStep<T> {
    /// What the loader hands over and the step takes.
    type Batch: Batch;
    /// What the step says of a batch: an [`Output`](crate::base::Output) or a [`Prediction`](crate::base::Prediction).
    type Answer;

    /// The loader.
    fn loader<'t>(&self, trainer: &'t mut T) -> &'t mut dyn BatchSource<Self::Batch>;

    /// The step.
    ///
    /// # Errors
    /// What goes wrong in it.
    fn step(&self, trainer: &mut T, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Self::Answer>;
}

/// Does something with a loader and its step, whatever the batches are.
pub trait VisitLoader<T, A> {
    /// What comes of it.
    type Value;

    /// Does it.
    fn visit<F: FedStep<T, Answer = A>>(self, fed: F) -> Self::Value;
}
