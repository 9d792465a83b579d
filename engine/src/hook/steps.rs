//! The steps of a trainer, which a user implements.

use crate::base::{Error, Output, Prediction, Result};
use crate::data::Batch;
use crate::hook::habits::{CallsBackward, LogsItself, SavesSettings};
use crate::optim::PassInfo;
use crate::run::Context;

/// The training step. The engine does the rest: `backward`, accumulation, clipping and the update. A trainer with
/// several losses and optimizers in an iter uses [`#[passes]`](macro@crate::passes) instead.
///
/// ```
/// use engine::prelude::*;
///
/// # #[component]
/// # pub struct LinearConfig {}
/// # pub struct Linear(nn::Linear);
/// # impl Model for Linear {
/// #     type Config = LinearConfig;
/// #     fn build(vs: &nn::Path<'_>, _: &LinearConfig) -> Result<Self> {
/// #         Ok(Linear(nn::linear(vs, 2, 3, Default::default())))
/// #     }
/// # }
/// # #[component(dataset)]
/// # pub struct FlowersConfig {}
/// # pub struct Flowers;
/// # impl Dataset for Flowers {
/// #     type Config = FlowersConfig;
/// #     type Item = (Vec<f32>, i64);
/// #     fn open(_: &FlowersConfig) -> Result<Self> {
/// #         Ok(Flowers)
/// #     }
/// #     fn len(&self) -> usize {
/// #         6
/// #     }
/// #     fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
/// #         Ok((vec![index as f32, 1.0], (index % 3) as i64))
/// #     }
/// # }
/// #[trainer(by_epoch)]
/// pub struct Classifier {
///     #[model]
///     net: Linear,
///     #[optimizer]
///     opt: AdamW,
///     #[loader(train)]
///     train: Loader<Flowers>,
/// }
///
/// impl Steps for Classifier {
///     type Batch = (Tensor, Tensor); // [n, 2] and [n]
///     fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
///         Ok(x.apply(&self.net.0).cross_entropy_for_logits(y).into())
///     }
/// }
///
/// # fn main() -> Result<()> {
/// use engine::folder::Mode;
/// use engine::trainer::{Experiment, run_train};
///
/// let work_dir = tempfile::tempdir()?;
/// let text = r#"(
///     name: "flowers",
///     optimizer: (lr: 0.1),
///     loaders: (train: (dataset: (), batch_size: 2)),
///     train: (max_epochs: 2),
/// )"#;
/// let mut experiment = Experiment::<Classifier>::parse("flowers.ron", text)?;
/// experiment.work_dir = work_dir.path().to_owned();
/// let summary = run_train(experiment, Mode::New)?;
/// assert_eq!((summary.epoch, summary.iter), (2, 6));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has no `train_step`",
    label = "`Steps` is not implemented for this trainer",
    note = "add `impl Steps for {Self} {{ type Batch = …; fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {{ … }} }}`"
)]
pub trait Steps {
    /// The batch of the train loader, on the run's device. With several train loaders, the tuple of their batches, in
    /// the order of the fields.
    type Batch;

    /// The forward pass of one batch. The engine calls `backward` on its loss.
    ///
    /// # Errors
    /// Any error of the step; it ends the run.
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;

    /// Lightning's name of [`Steps::train_step`]. It is here so that a step under this name is one error, that `train_step` is
    /// missing, and not a second one, that the trait has no such method.
    ///
    /// # Errors
    /// Always.
    #[doc(hidden)]
    fn training_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Err(Error::msg("nothing calls `training_step`; the step is `train_step`"))
    }

    /// Lightning's logging, for the message of [`LogsItself`].
    #[doc(hidden)]
    fn log<V>(&self, _: &str, _: V)
    where
        Self: LogsItself,
    {
    }

    /// Lightning's backward pass, for the message of [`CallsBackward`].
    #[doc(hidden)]
    fn manual_backward<V>(&self, _: V)
    where
        Self: CallsBackward,
    {
    }

    /// Lightning's saving of settings, for the message of [`SavesSettings`].
    #[doc(hidden)]
    fn save_hyperparameters(&self)
    where
        Self: SavesSettings,
    {
    }

    /// Of a generic trainer with `#[passes]`, what these are.
    #[doc(hidden)]
    const PASSES: &'static [PassInfo] = PassInfo::PLAIN;
}

/// The batch of the steps of a trainer: [`Steps::Batch`], or the batch of its passes. `#[trainer]` implements it.
///
/// The other steps use this trait and not [`Steps`], so that a trainer without `train_step` causes one error, and not
/// one for each place where another step says `Self::Batch`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trainer",
    label = "only a trainer has steps",
    note = "put `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` on the struct"
)]
pub trait Batches {
    /// [`Steps::Batch`].
    type Batch: Batch;
}

/// The step of `#[loader(val)]`, run without gradients. By default its batches have the type of the training batches.
/// When val loaders have batches of other types, implement a step for each type:
/// `impl ValStep<Tensor> for Classifier`.
///
/// ```
/// use engine::prelude::*;
///
/// # #[component]
/// # pub struct LinearConfig {}
/// # pub struct Linear(nn::Linear);
/// # impl Model for Linear {
/// #     type Config = LinearConfig;
/// #     fn build(vs: &nn::Path<'_>, _: &LinearConfig) -> Result<Self> {
/// #         Ok(Linear(nn::linear(vs, 2, 3, Default::default())))
/// #     }
/// # }
/// # #[component(dataset)]
/// # pub struct FlowersConfig {}
/// # pub struct Flowers;
/// # impl Dataset for Flowers {
/// #     type Config = FlowersConfig;
/// #     type Item = (Vec<f32>, i64);
/// #     fn open(_: &FlowersConfig) -> Result<Self> {
/// #         Ok(Flowers)
/// #     }
/// #     fn len(&self) -> usize {
/// #         6
/// #     }
/// #     fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
/// #         Ok((vec![index as f32, 1.0], (index % 3) as i64))
/// #     }
/// # }
/// #[trainer(by_epoch)]
/// pub struct Classifier {
///     #[model]
///     net: Linear,
///     #[optimizer]
///     opt: AdamW,
///     #[loader(train)]
///     train: Loader<Flowers>,
///     #[loader(val)]
///     val: Loader<Flowers>,
///     #[metric]
///     accuracy: Accuracy,
/// }
/// # impl Steps for Classifier {
/// #     type Batch = (Tensor, Tensor); // [n, 2] and [n]
/// #     fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
/// #         Ok(x.apply(&self.net.0).cross_entropy_for_logits(y).into())
/// #     }
/// # }
///
/// impl ValStep for Classifier {
///     fn val_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
///         let logits = x.apply(&self.net.0);
///         let loss = logits.cross_entropy_for_logits(y);
///         Ok(Output::new(loss).tensor("logits", &logits).tensor("target", y)) // what `Accuracy` reads
///     }
/// }
///
/// # fn main() -> Result<()> {
/// use engine::folder::Mode;
/// use engine::trainer::{Experiment, run_train};
///
/// let work_dir = tempfile::tempdir()?;
/// let text = r#"(
///     name: "flowers",
///     optimizer: (lr: 0.1),
///     loaders: (train: (dataset: (), batch_size: 2), val: (dataset: (), batch_size: 3)),
///     train: (max_epochs: 2),
/// )"#;
/// let mut experiment = Experiment::<Classifier>::parse("flowers.ron", text)?;
/// experiment.work_dir = work_dir.path().to_owned();
/// let summary = run_train(experiment, Mode::New)?;
/// assert_eq!(summary.metrics[0].0, "val/accuracy");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has a val loader and no `val_step` that takes its batches",
    label = "no `val_step` takes batches of `{B}`",
    note = "for batches as in training: `impl ValStep for {Self} {{ fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {{ … }} }}`",
    note = "for other batches: `impl ValStep<{B}> for {Self}`; a dataset's `Item` decides which they are"
)]
pub trait ValStep<B = <Self as Batches>::Batch>: Batches {
    /// The forward pass of one batch; metrics take what they need from the output's tensors.
    ///
    /// # Errors
    /// Any error of the step; it ends the run.
    fn val_step(&mut self, batch: &B, cx: &mut Context<'_>) -> Result<Output>;

    /// Lightning's name, as [`Steps::training_step`].
    ///
    /// # Errors
    /// Always.
    #[doc(hidden)]
    fn validation_step(&mut self, _: &B, _: &mut Context<'_>) -> Result<Output> {
        Err(Error::msg("nothing calls `validation_step`; the step is `val_step`"))
    }
}

/// The step of `#[loader(test)]`, run without gradients. It is like [`ValStep`], with the phases of a test.
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has a test loader and no `test_step` that takes its batches",
    label = "no `test_step` takes batches of `{B}`",
    note = "for batches as in training: `impl TestStep for {Self} {{ fn test_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {{ self.val_step(batch, cx) }} }}`",
    note = "for other batches: `impl TestStep<{B}> for {Self}`; a dataset's `Item` decides which they are"
)]
pub trait TestStep<B = <Self as Batches>::Batch>: Batches {
    /// The forward pass of one batch; metrics take what they need from the output's tensors.
    ///
    /// # Errors
    /// Any error of the step; it ends the run.
    fn test_step(&mut self, batch: &B, cx: &mut Context<'_>) -> Result<Output>;
}

/// The step of `#[loader(predict)]`, run without gradients. Its batches may be of another type than those of training.
///
/// ```
/// use engine::prelude::*;
///
/// # #[component]
/// # pub struct LinearConfig {}
/// # pub struct Linear(nn::Linear);
/// # impl Model for Linear {
/// #     type Config = LinearConfig;
/// #     fn build(vs: &nn::Path<'_>, _: &LinearConfig) -> Result<Self> {
/// #         Ok(Linear(nn::linear(vs, 2, 3, Default::default())))
/// #     }
/// # }
/// # #[component(dataset)]
/// # pub struct FlowersConfig {}
/// # pub struct Flowers;
/// # impl Dataset for Flowers {
/// #     type Config = FlowersConfig;
/// #     type Item = (Vec<f32>, i64);
/// #     fn open(_: &FlowersConfig) -> Result<Self> {
/// #         Ok(Flowers)
/// #     }
/// #     fn len(&self) -> usize {
/// #         6
/// #     }
/// #     fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
/// #         Ok((vec![index as f32, 1.0], (index % 3) as i64))
/// #     }
/// # }
/// #[trainer(by_epoch)]
/// pub struct Classifier {
///     #[model]
///     net: Linear,
///     #[optimizer]
///     opt: AdamW,
///     #[loader(train)]
///     train: Loader<Flowers>,
///     #[loader(predict)]
///     cases: Loader<Flowers>,
/// }
/// # impl Steps for Classifier {
/// #     type Batch = (Tensor, Tensor); // [n, 2] and [n]
/// #     fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
/// #         Ok(x.apply(&self.net.0).cross_entropy_for_logits(y).into())
/// #     }
/// # }
///
/// impl PredictStep for Classifier {
///     type Prompt = (Tensor, Tensor);
///     fn predict_step(&mut self, (x, _): &Self::Prompt, _: &mut Context<'_>) -> Result<Prediction> {
///         Ok(Prediction::new().tensor("class", &x.apply(&self.net.0).argmax(1, false)))
///     }
/// }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "the trainer `{Self}` has a predict loader and no `predict_step`",
    label = "this loader's batches have no step",
    note = "add `impl PredictStep for {Self} {{ type Prompt = …; fn predict_step(&mut self, batch: &Self::Prompt, cx: &mut Context<'_>) -> Result<Prediction> {{ … }} }}`"
)]
pub trait PredictStep {
    /// The batch of the predict loader, on the run's device.
    type Prompt;

    /// The predictions for one batch; they are written to `predictions.jsonl`.
    ///
    /// # Errors
    /// Any error of the step; it ends the run.
    fn predict_step(&mut self, batch: &Self::Prompt, cx: &mut Context<'_>) -> Result<Prediction>;
}
