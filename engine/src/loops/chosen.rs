//! A training loop that the experiment chooses in place of the engine's own.

use crate::base::{Error, Result};
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;
use crate::run::{Clocks, Context};
use std::fmt::Debug;

/// The parts of a training, as a [`TrainLoop`] calls them. [`Program`] has the same methods.
pub trait Training {
    /// The position and the plan of the training. A resumed run continues at this position.
    fn clocks(&self) -> &Clocks;

    /// The context that hooks get: to log, to request a validation or a checkpoint, to access optimizers and models.
    fn context(&mut self) -> Context<'_>;

    /// Whether the training ends here: its plan is finished, or it was stopped.
    fn is_over(&self) -> bool;

    /// [`Program::epoch`]: an epoch, or the rest of it after a resume, with a safe point after each iter except the
    /// last.
    ///
    /// # Errors
    /// The first error of a step, a hook, a loader or the disk.
    fn epoch(&mut self) -> Result<()>;

    /// [`Program::epoch_with`]: an epoch in which `body` runs the iters.
    ///
    /// # Errors
    /// Those of `body`, and the first error of a hook or the loader around it.
    fn epoch_with(&mut self, body: &mut dyn FnMut(&mut dyn Training) -> Result<()>) -> Result<()>;

    /// Whether the epoch has another iter.
    fn has_iter_left(&mut self) -> bool;

    /// [`Program::iter`]: one iter, within an epoch.
    ///
    /// # Errors
    /// The first error of a step, a hook, an optimizer or the loader; when no iter is left
    /// ([`Training::has_iter_left`]).
    fn iter(&mut self) -> Result<()>;

    /// [`Program::safe_point`]: decides, validates, writes checkpoints. Call it after each epoch.
    ///
    /// # Errors
    /// The first error of a hook, of the validation or of the disk.
    fn safe_point(&mut self) -> Result<()>;

    /// [`Program::safe_point_in_epoch`]: the same, to be called after each iter.
    ///
    /// # Errors
    /// The first error of a hook, of the validation or of the disk.
    fn safe_point_in_epoch(&mut self) -> Result<()>;
}

impl<D: EngineHooks, T: Trainer> Training for Program<D, T> {
    fn clocks(&self) -> &Clocks {
        self.run.clocks()
    }
    fn context(&mut self) -> Context<'_> {
        Program::context(self)
    }
    fn is_over(&self) -> bool {
        Program::is_over(self)
    }
    fn epoch(&mut self) -> Result<()> {
        Program::epoch(self)
    }
    fn epoch_with(&mut self, body: &mut dyn FnMut(&mut dyn Training) -> Result<()>) -> Result<()> {
        Program::epoch_with(self, |program| body(program))
    }
    fn has_iter_left(&mut self) -> bool {
        Program::has_iter_left(self)
    }
    fn iter(&mut self) -> Result<()> {
        Program::iter(self)
    }
    fn safe_point(&mut self) -> Result<()> {
        Program::safe_point(self)
    }
    fn safe_point_in_epoch(&mut self) -> Result<()> {
        Program::safe_point_in_epoch(self)
    }
}

/// A training loop of a program. `#[component(loop)]` lets experiments choose it:
/// `train_loop: WatchTheStart(epochs: 2)`.
///
/// It runs between `before_train` and `after_train`, like the engine's loop, and calls the parts of a training in its
/// own order. It must not count by itself: in a resumed run the loop begins at the position of [`Training::clocks`].
///
/// ```
/// use engine::loops::{TrainLoop, Training};
/// use engine::prelude::*;
///
/// /// Validates after each iter of the first epochs; from then on as planned.
/// #[component(loop)]
/// struct WatchTheStart {
///     /// How many epochs are watched.
///     #[config(default = 1)]
///     epochs: u64,
/// }
///
/// impl TrainLoop for WatchTheStart {
///     fn train(&self, training: &mut dyn Training) -> Result<()> {
///         while !training.is_over() {
///             if training.clocks().epoch().get() >= self.epochs {
///                 training.epoch()?;
///             } else {
///                 training.epoch_with(&mut |training| {
///                     while training.has_iter_left() {
///                         training.iter()?;
///                         training.context().validate();
///                         training.safe_point_in_epoch()?;
///                     }
///                     Ok(())
///                 })?;
///             }
///             training.safe_point()?;
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a training loop",
    label = "not a training loop",
    note = "implement `engine::loops::TrainLoop` for it: what it calls between `before_train` and `after_train`"
)]
pub trait TrainLoop: Debug + Send {
    /// Trains until [`Training::is_over`].
    ///
    /// # Errors
    /// Errors of the parts that it calls, and its own.
    fn train(&self, training: &mut dyn Training) -> Result<()>;
}

/// A training loop that a file can choose. `#[component(loop)]` implements and registers it.
#[typetag::serde]
pub trait LoopConfig: TrainLoop {}

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Trains by the loop that the experiment chooses, else by the engine's own: [`Program::train`].
    ///
    /// # Errors
    /// The first error of a step, a hook, a loader or the disk; and when the loop returns before the training is over,
    /// which would otherwise count as a training that is finished.
    pub fn train_by(&mut self, chosen: Option<&dyn LoopConfig>) -> Result<()> {
        self.train_with(|program| program.epochs_by(chosen))
    }

    /// What stands between `before_train` and `after_train` then.
    ///
    /// # Errors
    /// Those of [`Program::train_by`].
    pub(crate) fn epochs_by(&mut self, chosen: Option<&dyn LoopConfig>) -> Result<()> {
        let Some(chosen) = chosen else { return self.epochs() };
        chosen.train(self)?;
        // a stop that it has just asked for
        self.safe_point()?;
        match self.is_over() {
            true => Ok(()),
            false => Err(Error::msg(returned_early(chosen.typetag_name(), self.run.clocks()))),
        }
    }
}

fn returned_early(name: &str, clocks: &Clocks) -> String {
    let of = clocks.max_iters.map_or(String::new(), |planned| format!(" of {planned}"));
    format!(
        "the training loop `{name}` has returned after iter {}{of}: it has to go on until `training.is_over()`, or call \
         `training.context().stop(…)`",
        clocks.iter.get()
    )
}
