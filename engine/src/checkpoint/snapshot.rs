//! What one checkpoint holds, in memory.

use super::{CheckpointError, FORMAT};
use crate::base::state::{StateMap, StateValue};
use crate::base::units::{Epoch, Iter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::{Device, Kind, TchError, Tensor};

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

impl Snapshot {
    /// The same with tensors of its own on the CPU, so that nothing changes it any more. A tensor that is held in
    /// several places is copied once.
    ///
    /// # Errors
    /// When libtorch can't copy a tensor; it is named.
    ///
    /// ```
    /// use engine::base::{Epoch, Iter, StateMap};
    /// use engine::checkpoint::{Meta, Snapshot, Weights};
    /// use tch::Tensor;
    ///
    /// let mut weight = Tensor::from_slice(&[1.0, 2.0]);
    /// let models = vec![Weights::new("net", vec![("weight".into(), weight.shallow_clone())])];
    /// let meta = Meta::new(Epoch(0), Iter(1));
    /// let snapshot = Snapshot { meta, models, state: StateMap::new(), ranks: vec![StateMap::new()] };
    /// let kept = snapshot.to_host().unwrap();
    /// let _ = weight.fill_(0.0);
    /// assert_eq!(kept.models[0].trained[0].1.double_value(&[1]), 2.0);
    /// ```
    pub fn to_host(&self) -> Result<Snapshot, CheckpointError> {
        let mut copies = Copies::default();
        let mut variables = |model: &str, held: &Variables| {
            let copied = held.iter().map(|(name, tensor)| {
                let copy = copies.of(tensor).map_err(|source| not_copied(&format!("{model}.{name}"), &source))?;
                Ok((name.clone(), copy))
            });
            copied.collect::<Result<Variables, CheckpointError>>()
        };
        let models = self.models.iter().map(|weights| {
            let trained = variables(&weights.model, &weights.trained)?;
            let evaluated = weights.evaluated.as_ref().map(|held| variables(&weights.model, held)).transpose()?;
            Ok(Weights { model: weights.model.clone(), trained, evaluated })
        });
        let models = models.collect::<Result<_, CheckpointError>>()?;
        let state = copies.of_map(&self.state, "")?;
        let ranks = self.ranks.iter().map(|part| copies.of_map(part, "")).collect::<Result<_, _>>()?;
        Ok(Snapshot { meta: self.meta.clone(), models, state, ranks })
    }
}

/// Copies on the CPU, by what they are copies of.
#[derive(Default)]
struct Copies(BTreeMap<usize, Vec<(Identity, Tensor)>>);

impl Copies {
    fn of(&mut self, tensor: &Tensor) -> Result<Tensor, TchError> {
        // the writer refuses what can't be held by a file, with a better message
        let Some(identity) = Identity::of(tensor) else { return Ok(tensor.shallow_clone()) };
        let known = self.0.entry(identity.memory).or_default();
        if let Some((_, copy)) = known.iter().find(|(known, _)| *known == identity) {
            return Ok(copy.shallow_clone());
        }
        let original = tensor.f_detach()?;
        let copy = match tensor.device() {
            Device::Cpu => {
                let mut copy = original.f_zeros_like()?;
                copy.f_copy_(&original)?;
                copy
            }
            _ => original.f_to_device(Device::Cpu)?,
        };
        known.push((identity, copy.shallow_clone()));
        Ok(copy)
    }

    fn of_map(&mut self, map: &StateMap, path: &str) -> Result<StateMap, CheckpointError> {
        let entries =
            map.0.iter().map(|(key, value)| Ok((key.clone(), self.of_value(value, &format!("{path}/{key}"))?)));
        entries.collect::<Result<_, _>>().map(StateMap)
    }

    fn of_value(&mut self, value: &StateValue, path: &str) -> Result<StateValue, CheckpointError> {
        Ok(match value {
            StateValue::Tensor(tensor) => {
                StateValue::Tensor(self.of(tensor).map_err(|source| not_copied(path, &source))?)
            }
            StateValue::Map(map) => StateValue::Map(self.of_map(map, path)?),
            StateValue::List(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| self.of_value(item, &format!("{path}/{index}")));
                StateValue::List(items.collect::<Result<_, _>>()?)
            }
            plain => plain.copied(),
        })
    }
}

fn not_copied(name: &str, source: &TchError) -> CheckpointError {
    CheckpointError::Copy { name: name.to_owned(), why: source.to_string() }
}

/// Which elements of which memory a tensor has. Two tensors that are equal in it are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) memory: usize,
    shape: Vec<i64>,
    stride: Vec<i64>,
    kind: Kind,
    negated: bool,
    conjugated: bool,
}

impl Identity {
    /// `None` for a tensor without memory of its own kind: undefined, sparse, or without elements.
    pub(super) fn of(tensor: &Tensor) -> Option<Identity> {
        if !tensor.defined() || tensor.is_sparse() || tensor.numel() == 0 {
            return None;
        }
        Some(Identity {
            memory: tensor.data_ptr() as usize,
            shape: tensor.size(),
            stride: tensor.stride(),
            kind: tensor.f_kind().ok()?,
            negated: tensor.f_is_neg().ok()?,
            conjugated: tensor.f_is_conj().ok()?,
        })
    }
}
