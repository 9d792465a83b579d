//! What a program does with the other ranks of its group: it agrees with them on decisions, weighs its batches together
//! with theirs, and joins states. In a program of one process none of this does anything.

mod agree;
mod asked;
mod join;
mod merge;
mod predictions;

pub(crate) use agree::Agree;
pub(super) use asked::Settled;

use crate::dist::{Agreement, Numbers};
use crate::native::TensorList;
use crate::run::Signal;
use asked::Asked;

/// What a rank knows of the others, from one safe point to the next.
#[derive(Debug, Default)]
pub(crate) struct Ranks {
    agreement: Agreement,
    /// What this rank was asked at the last safe point, and the others may not have been.
    held: Asked,
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
    /// Whether what is asked of an update is told before its last backward: no hook that could ask for more comes after it.
    early: bool,
    /// Whether the batch in work is the last one of its update.
    pub(super) in_last_batch: bool,
    /// What was asked of the update in work, on its way to the other ranks.
    skip: Option<Skip>,
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

/// Whether a rank leaves the update out, on its way to the others.
#[derive(Debug)]
struct Skip {
    own: Option<String>,
    told: Numbers,
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
    /// The result of a save that this rank has, or is just telling the others.
    pub(super) fn take_settled(&mut self) -> Option<Settled> {
        self.settled.take().or_else(|| self.held.settled.take())
    }
}
