//! The build side of a trainer: its sections of the experiment. `#[trainer]` fills it.

use crate::base::{Output, Prediction, Result, State};
use crate::hook::{Batches, HookSet, Joined, Slots};
use crate::hooks::DefaultHooks;
use crate::loops::{FedStep, Role, Trainer, TrainerInfo};
use crate::run::Context;
use crate::trainer::parts::{Built, PartOf};

/// A trainer that can be read from an experiment, built and run.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trainer",
    label = "not a trainer",
    note = "put `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` on the struct"
)]
pub trait Build: Trainer + Fields {}

#[diagnostic::do_not_recommend]
impl<T: Trainer + Fields> Build for T {}

/// What `#[trainer]` writes. It asks nothing of the trainer's steps, so that a step that is missing is said once; the
/// engine makes a [`Trainer`] of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trainer",
    label = "not a trainer",
    note = "put `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` on the struct; a generic trainer has to implement the traits of its steps"
)]
pub trait Fields: Batches + Slots + State + Sized + 'static {
    /// The trainer's name.
    const NAME: &'static str;
    /// The model fields in their order, each with the path of its weights in an experiment: `weights` of the only one,
    /// `weights.critic` of one of several.
    const MODELS: &'static [(&'static str, &'static str)];
    /// [`Trainer::INFO`].
    const TRAINER: TrainerInfo;
    /// The fields that the experiment knows, in order.
    const PARTS: &'static [PartOf<Self>];
    /// Hooks that the program has besides the engine's own and the trainer's fields: `()`, or a bundle of a library.
    type Bundle: HookSet;
    /// Whether the attribute has found no mistake. Else a file is not compared with what is left of the trainer.
    const IS_WHOLE: bool = true;

    /// Puts the trainer together from its fields.
    fn of_fields(built: Built) -> Self;

    /// [`Trainer::next_train_batch`].
    ///
    /// # Errors
    /// What went wrong with a sample.
    fn next_train_batch(&mut self) -> Result<Option<Self::Batch>>;

    /// [`Trainer::train_step`].
    ///
    /// # Errors
    /// Those of the step.
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>;

    /// [`Trainer::evaluated`].
    fn evaluated(role: Role, place: usize) -> Option<Box<dyn FedStep<Self, Output>>> {
        let _ = (role, place);
        None
    }

    /// [`Trainer::predicted`].
    fn predicted() -> Option<Box<dyn FedStep<Self, Prediction>>> {
        None
    }
}

/// The hooks of a program that belong to no field: the engine's own, then the trainer's bundle.
pub type EngineHooksOf<T> = Joined<DefaultHooks, <T as Fields>::Bundle>;
