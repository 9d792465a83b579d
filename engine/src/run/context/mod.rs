//! The one thing a hook and a step see of a run.

mod backward;
mod record;
mod requests;
mod work;

use crate::base::{Epoch, Iter};
use crate::optim::Pass;
use crate::phase::Phase;
use crate::run::{Clocks, Command, PassPlace, RunState};
use tch::Device;

/// Before the first hook of a phase, and in a loop of one's own: what is asked for then, the program asks for.
const NO_HOOK: usize = usize::MAX;

/// The run, as hooks and steps read and steer it.
///
/// One type for every phase, so that a hook works in any trainer without knowing its type. What a phase can't
/// offer yet (the output before the forward pass) is an error that says when it can be had.
///
/// ```
/// use engine::prelude::*;
///
/// /// Stops when the gradient vanishes.
/// #[hook(priority = "LOW")]
/// pub struct Plateau {
///     /// Below this norm the training ends.
///     #[config(default = 1e-6, range = 0.0..)]
///     norm: f64,
/// }
///
/// #[phases]
/// impl Plateau {
///     fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
///         if cx.iter().get() % 100 == 0 {
///             let norm = cx.grad_norm()?;
///             if norm.read()? < self.norm {
///                 cx.stop("the gradient has vanished");
///             }
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
pub struct Context<'a> {
    run: &'a mut RunState,
    /// The place in the phase's order of the hook that was called last. It is here and not in the run, so that the
    /// compiler sees which hooks can't read it, and leaves the writing out.
    place: usize,
}

/// Where the run is.
impl<'a> Context<'a> {
    /// A context over a run; loops make one for each call, and tests of hooks can.
    pub fn new(run: &'a mut RunState) -> Self {
        Context { run, place: NO_HOOK }
    }

    /// The phase that is running; in a step, the one before it.
    pub fn phase(&self) -> Phase {
        self.run.current.phase
    }

    /// What the program was started for. A validation within a training is part of `train`.
    pub fn command(&self) -> Command {
        self.run.current.command
    }

    /// The pass whose update is under way, from `before_train_batch` to `after_optimizer_step`; `None` elsewhere. A
    /// trainer without `#[passes]` has one, named `train`.
    pub fn pass(&self) -> Option<&Pass> {
        self.run.pass()
    }

    /// Which pass that is, and which of its updates in a row.
    pub fn pass_place(&self) -> Option<PassPlace> {
        self.run.current.pass
    }

    /// All clocks: finished and planned epochs, iters, batches.
    pub fn clocks(&self) -> &Clocks {
        &self.run.clocks
    }

    /// Iters that this process has made in the epoch under way, or in `after_train_epoch` in the epoch that ends. 0 there:
    /// the training stopped before the first batch, so there is nothing to summarize.
    pub fn iters_of_epoch(&self) -> u64 {
        self.run.clocks.iter.get().saturating_sub(self.run.current.epoch_began)
    }

    /// Finished epochs.
    pub fn epoch(&self) -> Epoch {
        self.run.clocks.epoch()
    }

    /// Finished iters: updates, or rounds of all passes where there are several.
    pub fn iter(&self) -> Iter {
        self.run.clocks.iter()
    }

    /// Whether dropout and batch norm should work as in training: pass it to `forward_t`.
    pub fn is_training(&self) -> bool {
        self.run.step.training
    }

    /// Where batches and models lie.
    pub fn device(&self) -> Device {
        self.run.device
    }

    /// The loader that the current batch is from: its field's name.
    pub fn loader(&self) -> &'static str {
        self.run.current.loader
    }

    /// The number of samples in the current batch; 0 before the first.
    pub fn batch_size(&self) -> usize {
        self.run.step.batch_size
    }

    /// How much the current batch counts in means over several: [`Batch::weight`](crate::data::Batch::weight). 0 before
    /// the first.
    pub fn batch_weight(&self) -> f64 {
        self.run.step.batch_weight
    }

    /// A context of its own over the same run, for one phase. As a variable of the dispatcher it stays in registers where
    /// no hook of the phase uses it.
    #[inline(always)]
    pub(crate) fn of_one_phase(&mut self) -> Context<'_> {
        Context { run: self.run, place: NO_HOOK }
    }

    /// A hook is called next: the one at this place in the phase's order.
    #[inline(always)]
    pub(crate) fn calls_hook_at(&mut self, place: usize) {
        self.place = place;
    }

    /// The place of the hook that was called last.
    pub(crate) fn place_of_hook(&self) -> usize {
        self.place
    }
}
