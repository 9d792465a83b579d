//! What a program does with the other ranks of its group: it agrees with them on decisions, weighs its batches together
//! with theirs, and joins states. In a program of one process none of this does anything.

mod agree;
mod asked;
mod join;
mod merge;
mod predictions;
mod told;
mod update;

pub(crate) use agree::Agree;
pub(super) use asked::Settled;

use crate::dist::Agreement;
use crate::native::TensorList;
use crate::run::Signal;
use asked::Asked;
use told::OfUpdate;

/// What a rank knows of the others, from one safe point to the next.
#[derive(Debug, Default)]
pub(crate) struct Ranks {
    agreement: Agreement,
    /// What this rank was asked, and the others do not know or may not have been.
    held: Asked,
    /// Whether a rank holds something, as the updates since the last safe point have told.
    is_asked: bool,
    /// What all ranks have agreed on and the loop has not looked at yet.
    pub(super) agreed: Taken,
    /// The result of a save, which only rank 0 knows yet.
    pub(super) settled: Option<Settled>,
    /// Whether a checkpoint is being written; known to all.
    pub(super) saving: bool,
    /// Tensors of models that are no parameters, such as the averages of batch norm.
    buffers: Option<Buffers>,
    /// The engine's own hooks, which come first: they never ask for an update to be left out.
    own_hooks: usize,
    /// Whether an update may be asked to be left out when its gradients are under way.
    skips_late: bool,
    /// Whether a hook may ask for anything then.
    hook_asks_late: bool,
    /// Whether the training is by the engine's own loop: another one may ask for something between iters.
    pub(super) in_own_loop: bool,
    /// The samples of the batches of the update in work, of all ranks together; `None` where they are not known.
    pub(super) samples: Vec<Option<u64>>,
    /// Whether the batch in work is the last one of its update.
    pub(super) in_last_batch: bool,
    /// What is told of the update in work.
    update: OfUpdate,
    /// Whether the run fails: other ranks may be gone or at another place, and nothing is asked of them any more.
    pub(super) failed: bool,
}

/// Tensors of models that are no parameters.
#[derive(Debug)]
struct Buffers {
    tensors: TensorList,
    /// Their versions when all ranks had those of rank 0.
    shared_at: u64,
    /// Whether a rank has changed one since.
    changed: bool,
}

/// What all ranks have agreed on, besides the requests of hooks.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Stays, as the signal of a process does.
    pub(super) signal: Option<Signal>,
    /// Who has asked for the stop that is among the requests.
    pub(super) stopped_by: Option<String>,
    pub(super) save: bool,
    pub(super) time_up: bool,
    pub(super) settled: Option<Settled>,
}

impl Ranks {
    /// Whether anything may be asked when the gradients of an update are under way. Then the ranks tell each other at every
    /// safe point what they were asked.
    fn asks_late(&self) -> bool {
        self.hook_asks_late || !self.in_own_loop
    }

    /// Holds what this rank was asked until the others know.
    fn hold(&mut self, asked: Asked) {
        self.held = std::mem::take(&mut self.held).moved_to(asked.iter);
        self.held.add(asked);
    }

    /// The result of a save that this rank has, or is just telling the others.
    pub(super) fn take_settled(&mut self) -> Option<Settled> {
        self.settled.take().or_else(|| self.held.settled.take())
    }
}
