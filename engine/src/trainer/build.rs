//! The build side of a trainer: its sections of the experiment. `#[trainer]` fills it.

use crate::base::Result;
use crate::hook::{HookSet, Joined};
use crate::hooks::DefaultHooks;
use crate::loops::Trainer;
use crate::trainer::{Builder, Reader, Writer};

/// A trainer that can be read from an experiment, built and run.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trainer",
    label = "not a trainer",
    note = "put `#[trainer(by_epoch)]` or `#[trainer(by_iter)]` on the struct"
)]
pub trait Build: Trainer + Fields {}

#[diagnostic::do_not_recommend]
impl<T: Trainer + Fields> Build for T {}

/// What `#[trainer]` makes of the fields. It asks nothing of the trainer's steps, so that a step that is missing is
/// said once.
pub trait Fields: Sized + 'static {
    /// The trainer's name.
    const NAME: &'static str;
    /// The model fields in their order, each with the path of its weights in an experiment: `weights` of the only one,
    /// `weights.critic` of one of several.
    const MODELS: &'static [(&'static str, &'static str)];
    /// The settings of every field.
    type Sections;
    /// Hooks that the program has besides the engine's own and the trainer's fields: `()`, or a bundle of a library.
    type Bundle: HookSet;

    /// Reads the settings of every field. Mistakes are in the reader; `None` when there are any.
    fn read(reader: &mut Reader<'_>) -> Option<Self::Sections>;

    /// Prints the settings of every field, defaults included.
    fn write(sections: &Self::Sections, writer: &mut Writer);

    /// Builds the trainer: models, optimizers, schedules, loaders, metrics, hooks, in this order.
    ///
    /// # Errors
    /// What a field finds wrong with its settings.
    fn build(sections: Self::Sections, builder: &mut Builder<'_>) -> Result<Self>;
}

/// The hooks of a program that belong to no field: the engine's own, then the trainer's bundle.
pub type EngineHooksOf<T> = Joined<DefaultHooks, <T as Fields>::Bundle>;
