//! What a user writes of a trainer: its steps.

use crate::base::{Output, Prediction, Result};
use crate::data::Batch;
use crate::run::Context;

/// The training step. The engine does the rest: `backward`, accumulation, clipping, the update.
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has no `train_step`",
    label = "`Steps` is not implemented for this trainer",
    note = "add `impl Steps for {Self} {{ type Batch = …; fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {{ … }} }}`"
)]
pub trait Steps {
    /// What the train, val and test loaders hand over, on the run's device.
    type Batch;

    /// The forward pass of one batch; its loss is what `backward` runs through.
    ///
    /// # Errors
    /// What goes wrong in it; the run ends with it.
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;
}

/// What the steps of a trainer take: [`Steps::Batch`]. `#[trainer]` implements it.
///
/// It stands between [`Steps`] and the other steps, so that a trainer without `train_step` is one error and not one
/// for each place where another step says `Self::Batch`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no trainer",
    label = "only a trainer has steps",
    note = "put `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` on the struct"
)]
pub trait Batches {
    /// [`Steps::Batch`].
    type Batch: Batch;
}

/// The step of `#[loader(val)]`, run without gradients.
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has a val loader and no `val_step`",
    label = "this loader's batches have no step",
    note = "add `impl ValStep for {Self} {{ fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {{ … }} }}`"
)]
pub trait ValStep: Batches {
    /// The forward pass of one batch; metrics take what they need from the output's tensors.
    ///
    /// # Errors
    /// What goes wrong in it; the run ends with it.
    fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;
}

/// The step of `#[loader(test)]`, run without gradients.
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has a test loader and no `test_step`",
    label = "this loader's batches have no step",
    note = "add `impl TestStep for {Self} {{ fn test_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {{ self.val_step(batch, cx) }} }}`"
)]
pub trait TestStep: Batches {
    /// The forward pass of one batch; metrics take what they need from the output's tensors.
    ///
    /// # Errors
    /// What goes wrong in it; the run ends with it.
    fn test_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;
}

/// The step of `#[loader(predict)]`, run without gradients. Its batches may be of another type than those of training.
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has a predict loader and no `predict_step`",
    label = "this loader's batches have no step",
    note = "add `impl PredictStep for {Self} {{ type Prompt = …; fn predict_step(&mut self, batch: &Self::Prompt, cx: &mut Context<'_>) -> Result<Prediction> {{ … }} }}`"
)]
pub trait PredictStep {
    /// What the predict loader hands over, on the run's device.
    type Prompt;

    /// What the model says of one batch; written to `predictions.jsonl`.
    ///
    /// # Errors
    /// What goes wrong in it; the run ends with it.
    fn predict_step(&mut self, batch: &Self::Prompt, cx: &mut Context<'_>) -> Result<Prediction>;
}
