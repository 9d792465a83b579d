//! What a program does with the other ranks of its group: it agrees with them on decisions, weighs its batches together
//! with theirs, and joins states. In a program of one process none of this does anything.

mod agree;
mod asked;
mod join;
mod merge;
mod predictions;
mod weigh;

pub(crate) use agree::Agree;
pub(super) use asked::Settled;
pub(super) use weigh::shares;

use crate::dist::Agreement;
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
    buffers: Option<TensorList>,
    /// Whether the run fails: other ranks may be gone or at another place, and nothing is asked of them any more.
    pub(super) failed: bool,
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
