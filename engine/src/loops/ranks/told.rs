//! What a rank tells the others of an update, as numbers.

use crate::dist::Numbers;
use crate::run::Foreseen;

/// How many numbers a rank tells. They are 0 for no; what others hear is above 0 when a rank has told something else.
pub(super) const NUMBERS: usize = 5;
/// That more may be asked when the gradients are under way: a message follows.
pub(super) const LATE: usize = 0;
/// That the update is left out.
pub(super) const SKIP: usize = 1;
/// That a buffer was written.
pub(super) const BUFFERS: usize = 2;
/// That something is asked of all ranks at the next safe point.
pub(super) const ASKED: usize = 3;
/// That batches of this rank weigh something else than their samples.
pub(super) const WEIGHTS: usize = 4;

/// What is told of the update in work.
#[derive(Debug, Default)]
pub(super) struct OfUpdate {
    /// Why this rank leaves it out.
    pub(super) skip: Option<String>,
    /// What the batches of all ranks are taken to weigh, where they do not tell each other before.
    pub(super) foreseen: Option<Foreseen>,
    /// The weights of the batches of this rank.
    pub(super) weight: f64,
    /// Whether the gradients take everything along that this rank has to tell.
    pub(super) is_told: bool,
    /// What is on its way to the other ranks by message.
    pub(super) under_way: Option<Numbers>,
    /// What came with the gradients; empty when nothing did.
    pub(super) heard: Vec<f64>,
}

impl OfUpdate {
    pub(super) fn weighs_otherwise(&self) -> f64 {
        f64::from(u8::from(self.foreseen.is_some_and(|foreseen| foreseen.differs)))
    }
}
