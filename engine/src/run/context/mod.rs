//! The only access that hooks and steps have to a run.

#[cfg(test)]
mod asks_nothing;
mod backward;
mod dumps;
mod endpoints;
mod ranks;
mod record;
mod requests;
mod staged;
mod work;

pub use staged::{Staged, TaskScale};

use crate::base::{Epoch, Iter};
use crate::optim::{Pass, Precision};
use crate::phase::Phase;
use crate::run::{Clocks, Command, EvalWeights, PassPlace, RunState};
use tch::Device;

/// Before the first hook of a phase, and in a loop of one's own: what is asked for then, the program asks for.
const NO_HOOK: usize = usize::MAX;

/// The run, as hooks and steps read and control it. There is one type for all phases and trainers, so that a hook
/// works in any trainer. When something does not exist yet in a phase (the output before the forward pass), the method
/// returns an error that says when it exists.
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

/// The position of the run.
impl<'a> Context<'a> {
    /// A context for a run. The loops create one for each call; tests of hooks can do the same.
    pub fn new(run: &'a mut RunState) -> Self {
        Context { run, place: NO_HOOK }
    }

    /// The current phase; in a step, the phase before it.
    pub fn phase(&self) -> Phase {
        self.run.current.phase
    }

    /// The command that the program runs. A validation during a training is part of `train`.
    pub fn command(&self) -> Command {
        self.run.current.command
    }

    /// The pass of the current update, from `before_train_batch` to `after_optimizer_step`; `None` in other phases. A
    /// trainer without `#[passes]` has one pass, named `train`.
    pub fn pass(&self) -> Option<&Pass> {
        self.run.pass()
    }

    /// The index of that pass, and which of its updates in a row this is.
    pub fn pass_place(&self) -> Option<PassPlace> {
        self.run.step.uses("pass_place");
        self.run.current.pass
    }

    /// All clocks: finished and planned epochs, iters, batches.
    pub fn clocks(&self) -> &Clocks {
        self.run.step.uses("clocks");
        &self.run.clocks
    }

    /// Iters that this process has finished in the current epoch; in `after_train_epoch`, in the epoch that ends. It
    /// is 0 there when the training stopped before the first batch of the epoch.
    pub fn iters_of_epoch(&self) -> u64 {
        self.run.step.uses("iters_of_epoch");
        self.run.clocks.iter.get().saturating_sub(self.run.current.epoch_began)
    }

    /// Finished epochs.
    pub fn epoch(&self) -> Epoch {
        self.run.step.uses("epoch");
        self.run.clocks.epoch()
    }

    /// Finished iters: updates, or rounds of all passes when there are several.
    pub fn iter(&self) -> Iter {
        self.run.step.uses("iter");
        self.run.clocks.iter()
    }

    /// Whether dropout and batch norm should work as in training: pass it to `forward_t`.
    pub fn is_training(&self) -> bool {
        self.run.step.training
    }

    /// The device of batches and models.
    pub fn device(&self) -> Device {
        self.run.device
    }

    /// In which kinds of numbers steps compute: the setting `precision`.
    pub fn precision(&self) -> Precision {
        self.run.numerics.precision
    }

    /// Which weights evaluations use: the setting `eval_weights`.
    pub fn eval_weights(&self) -> EvalWeights {
        self.run.eval_weights
    }

    /// The loader of the current batch: the name of its field.
    pub fn loader(&self) -> &'static str {
        self.run.current.loader
    }

    /// The number of samples in the current batch; 0 before the first batch.
    pub fn batch_size(&self) -> usize {
        self.run.step.batch_size
    }

    /// How much the current batch counts in means over several batches: [`Batch::weight`](crate::data::Batch::weight).
    /// 0 before the first batch.
    pub fn batch_weight(&self) -> f64 {
        self.run.step.uses("batch_weight");
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

#[cfg(test)]
mod tests {
    use super::asks_nothing::ASKS_NOTHING;

    /// Methods that ask the loop for something, or hand the context on.
    const ASK: [&str; 16] = [
        "activation_checkpoint",
        "allow_dumps",
        "backward",
        "backward_from",
        "dump",
        "full_precision",
        "keep_in_memory",
        "publish",
        "roll_back",
        "save",
        "saving",
        "skip_update",
        "staged",
        "stop",
        "task",
        "validate",
    ];

    #[test]
    fn of_every_public_method_it_is_known_whether_it_asks_for_something() {
        const SOURCES: [&str; 9] = [
            include_str!("backward.rs"),
            include_str!("dumps.rs"),
            include_str!("endpoints.rs"),
            include_str!("mod.rs"),
            include_str!("ranks.rs"),
            include_str!("record.rs"),
            include_str!("requests.rs"),
            include_str!("staged.rs"),
            include_str!("work.rs"),
        ];
        let after =
            SOURCES.iter().flat_map(|source| source.lines()).filter_map(|line| line.strip_prefix("    pub fn "));
        let mut found: Vec<&str> = after.map(|rest| rest.split(['(', '<']).next().unwrap()).collect();
        // the constructor is no method
        found.retain(|name| *name != "new");
        found.sort_unstable();
        found.dedup();
        let mut known: Vec<&str> = ASKS_NOTHING.iter().chain(&ASK).copied().collect();
        known.sort_unstable();
        assert_eq!(found, known);
    }
}
