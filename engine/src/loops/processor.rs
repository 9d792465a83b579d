//! How the step of a batch is taken, when the experiment chooses a component for it. `processed.rs` hands it the batches.

use crate::base::Result;
use crate::run::Context;
use std::fmt::Debug;
use std::ops::Range;

/// The step of one batch, as a [`StepProcessor`] takes it.
pub trait BatchStep {
    /// The samples of the batch.
    fn samples(&self) -> usize;

    /// The context that steps and hooks get: to log, to access models, optimizers and random numbers.
    fn context(&mut self) -> Context<'_>;

    /// The trainer's step on the whole batch, `after_forward`, and backward. Gradients are added.
    ///
    /// # Errors
    /// The first error of the step, a hook or backward; a second computation of a batch where there are several ranks.
    fn compute(&mut self) -> Result<()> {
        self.compute_samples(0..self.samples())
    }

    /// The same on a part of the batch. It counts by its weight, so the gradients of all parts of a batch add up to that
    /// of the batch when the loss is a mean over samples. `cx.batch_size()` is that of the part, and `cx.generator(..)`
    /// gives each part numbers of its own.
    ///
    /// # Errors
    /// As [`BatchStep::compute`]; when the range is empty or goes past the end of the batch, or a part of the batch does
    /// not have one row for each sample.
    fn compute_samples(&mut self, samples: Range<usize>) -> Result<()>;

    /// As [`BatchStep::compute_samples`]; false when the device or the host has no memory for it. Gradients and libtorch's
    /// generators are then as they were before, so that a smaller part can be tried. It needs memory for the gradients
    /// once more, from the second part of an update on.
    ///
    /// # Errors
    /// Those of [`BatchStep::compute_samples`], other than that memory is not enough.
    fn try_samples(&mut self, samples: Range<usize>) -> Result<bool>;
}

/// How the step of a batch is taken. `#[component(step)]` lets experiments choose it: `step_processor: Chunks(samples: 8)`.
///
/// It runs between `before_train_batch` and `after_backward`, in the place of one computation of the whole batch.
/// `after_forward` is called in each computation; afterwards `cx.output()` is that of the last one, and rows show the mean
/// of all. Clipping and the update come after the last batch of the update, as always.
///
/// ```
/// use engine::loops::{BatchStep, StepProcessor};
/// use engine::prelude::*;
///
/// /// Computes a batch in parts. It takes the memory of one part, and gives the gradient of the batch.
/// #[component(step)]
/// struct Chunks {
///     /// Samples of a part.
///     #[config(range = 1..)]
///     samples: usize,
/// }
///
/// impl StepProcessor for Chunks {
///     fn process(&self, batch: &mut dyn BatchStep) -> Result<()> {
///         let all = batch.samples();
///         for first in (0..all).step_by(self.samples) {
///             batch.compute_samples(first..all.min(first + self.samples))?;
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step processor",
    label = "not a step processor",
    note = "implement `engine::loops::StepProcessor` for it: how the step of a batch is taken"
)]
pub trait StepProcessor: Debug + Send {
    /// Takes the step of one batch: calls [`BatchStep::compute`] or [`BatchStep::compute_samples`], once or more often.
    ///
    /// # Errors
    /// Errors of the parts that it calls, and its own.
    fn process(&self, batch: &mut dyn BatchStep) -> Result<()>;
}

/// A step processor that a file can choose. `#[component(step)]` implements and registers it.
#[typetag::serde]
pub trait StepConfig: StepProcessor {}
