//! Steps as CUDA graphs: what is recorded, and for which batches. See `by_graph.rs` for how they are recorded and replayed.

use crate::base::{Output, Result, Scalar};
use crate::native::{Graph, GraphPool, TensorList};
use crate::optim::update::RecordedUpdate;
use std::collections::BTreeSet;
use tch::Tensor;

/// The recorded steps of a training.
pub(super) struct Recordings<B> {
    pub(super) pool: GraphPool,
    pub(super) warmup: u32,
    /// Whether nothing but the engine's own hooks runs between a backward and its update.
    pub(super) is_quiet: bool,
    /// The variables of all models, and their mark when the steps were recorded.
    pub(super) variables: TensorList,
    pub(super) mark: u64,
    pub(super) restarts: u32,
    pub(super) steps: Vec<(Key, Stage<B>)>,
    /// Batches of the update under way, and how many of them are done.
    pub(super) batches: u64,
    pub(super) done: u64,
    /// The step that has computed the first batch of the update: the gradients are in its memory.
    pub(super) holder: Option<usize>,
    /// Whether that step has made the update too.
    pub(super) is_updated: bool,
    pub(super) told: BTreeSet<String>,
}

/// Steps with the same key run the same kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pass: usize,
    /// Kinds and shapes of the batch.
    pub(super) layout: u64,
    /// The bits of what the batch counts in its update.
    pub(super) share: u64,
    /// The step whose gradients it adds to; `None` for the first batch of an update.
    pub(super) onto: Option<usize>,
    /// Whether the update is part of it.
    pub(super) with_update: bool,
}

pub(super) enum Stage<B> {
    /// So many eager steps are done.
    Warming(u32),
    Recorded(Box<RecordedStep<B>>),
    Eager,
}

/// A graph, with the memory that it reads and writes.
pub(super) struct RecordedStep<B> {
    pub(super) graph: Graph,
    pub(super) batch: B,
    pub(super) output: Option<Output>,
    pub(super) logged: Vec<(bool, String, Scalar)>,
    pub(super) has_gone_backward: bool,
    /// Of each optimizer of the pass.
    pub(super) gradients: Vec<TensorList>,
    pub(super) update: Option<RecordedUpdate>,
    /// How often an update was recorded for these gradients.
    pub(super) updates_recorded: u32,
}

/// More shapes of batches than this are not recorded: each takes memory of its own.
const MOST_STEPS: usize = 32;

impl<B> Recordings<B> {
    /// An update of so many batches begins.
    pub(super) fn begin(&mut self, batches: u64) {
        (self.batches, self.done, self.holder, self.is_updated) = (batches, 0, None, false);
    }

    /// The place of the steps of a key; `None` when there are too many.
    pub(super) fn place_of(&mut self, key: Key) -> Option<usize> {
        let place = self.steps.iter().position(|(known, _)| *known == key);
        place.or_else(|| {
            (self.steps.len() < MOST_STEPS).then(|| {
                self.steps.push((key, Stage::Warming(0)));
                self.steps.len() - 1
            })
        })
    }
}

/// Copies of what a graph has written, which the next replay writes over. A number that is logged and returned is copied
/// once.
#[derive(Default)]
pub(super) struct Copies(Vec<(usize, Tensor)>);

impl Copies {
    pub(super) fn of(&mut self, tensor: &Tensor) -> Result<Tensor> {
        if tensor.numel() != 1 {
            return Ok(tensor.f_detach_copy()?);
        }
        // a detached tensor is another one with the same memory
        let place = tensor.data_ptr() as usize;
        if let Some((_, copy)) = self.0.iter().find(|(known, copy)| *known == place && copy.kind() == tensor.kind()) {
            return Ok(if copy.dim() == tensor.dim() { copy.shallow_clone() } else { copy.f_view_as(tensor)? });
        }
        let copy = tensor.f_detach_copy()?;
        self.0.push((place, copy.shallow_clone()));
        Ok(copy)
    }
}
