//! What one checkpoint holds, in memory.

use super::FORMAT;
use crate::base::state::StateMap;
use crate::base::units::{Epoch, Iter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::Tensor;

/// The variables of one model, by name.
pub type Variables = Vec<(String, Tensor)>;

/// Everything that one checkpoint holds.
///
/// Its tensors may be those that the training goes on changing. [`Snapshot::to_host`] gives one with tensors of its
/// own, which another thread can write while the training goes on.
#[derive(Debug)]
pub struct Snapshot {
    /// Where the run stands.
    pub meta: Meta,
    /// The weights of every model. Loading gives models and variables sorted by name.
    pub models: Vec<Weights>,
    /// What influences the rest of the run and is the same on every rank: clocks, optimizers, hooks, cursors.
    pub state: StateMap,
    /// What each rank has of its own, by rank: generators. A run in one process has one.
    pub ranks: Vec<StateMap>,
}

impl Snapshot {
    /// The part of [`Snapshot::state`] that tells of updates.
    pub const UPDATES: &'static str = "updates";
    /// The part of [`Snapshot::UPDATES`] with the states of optimizers, which only the next update changes.
    pub const OPTIMIZERS: &'static str = "optimizers";
}

/// The weights of one model.
#[derive(Debug)]
pub struct Weights {
    /// The model's name.
    pub model: String,
    /// Those that the training changes.
    pub trained: Variables,
    /// Those that evaluations use, when they are others: an average.
    pub evaluated: Option<Variables>,
}

impl Weights {
    /// Of a model that is evaluated as it is trained.
    pub fn new(model: impl Into<String>, trained: Variables) -> Weights {
        Weights { model: model.into(), trained, evaluated: None }
    }

    /// Those that evaluations use: what `MODEL.safetensors` holds.
    pub fn published(&self) -> &Variables {
        self.evaluated.as_ref().unwrap_or(&self.trained)
    }
}

/// Where a run stood when a checkpoint was written, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The version of the layout, [`FORMAT`].
    pub version: u32,
    /// The version of the engine that wrote it.
    pub engine: String,
    /// Finished epochs.
    pub epoch: Epoch,
    /// Finished iters.
    pub iter: Iter,
    /// How many parts there are below `ranks/`.
    pub ranks: u32,
    /// The names under which it was to be kept; [`save`](super::save) fills them in.
    #[serde(default)]
    pub names: Vec<String>,
    /// Notes of the writer: under `weights.MODEL`, where the weights are from that the training began with.
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
}

impl Meta {
    /// This engine, now, one process, without notes.
    pub fn new(epoch: Epoch, iter: Iter) -> Meta {
        let engine = env!("CARGO_PKG_VERSION").to_owned();
        Meta { version: FORMAT, engine, epoch, iter, ranks: 1, names: Vec::new(), notes: BTreeMap::new() }
    }
}
