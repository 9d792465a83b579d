//! Copies of a snapshot's tensors in host memory, which is kept from one save to the next.
//!
//! Memory that was written before is much faster to write again than fresh memory, whose pages the system first has to
//! find and clear. So a copy takes the tensors of an earlier copy that is done with, and only what does not fit is taken
//! anew.

use super::identity::Identity;
use super::{CheckpointError, Snapshot, Variables, Weights};
use crate::base::state::{StateMap, StateValue};
use crate::native::{copy_in_a_row, pinned_like};
use std::collections::BTreeMap;
use tch::{Device, TchError, Tensor};

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
        Ok(HostMemory::default().copy(self)?.snapshot)
    }
}

/// Host memory for copies, empty at first.
#[derive(Debug, Default)]
pub(super) struct HostMemory {
    /// Tensors of earlier copies, each with memory of its own, in the order in which they were filled.
    free: Vec<Tensor>,
}

/// A snapshot with tensors of its own on the host.
#[derive(Debug)]
pub(super) struct HostCopy {
    pub(super) snapshot: Snapshot,
    /// The memory of its tensors, each once.
    memory: Vec<Tensor>,
}

impl HostMemory {
    /// Copies every tensor. One that is held in several places is copied once. Memory of earlier copies that this one has
    /// no use for is given back to the system.
    ///
    /// # Errors
    /// When libtorch can't copy a tensor; it is named.
    pub(super) fn copy(&mut self, snapshot: &Snapshot) -> Result<HostCopy, CheckpointError> {
        let mut copies = Copies { free: std::mem::take(&mut self.free), ..Copies::default() };
        let models = snapshot.models.iter().map(|weights| {
            let trained = copies.of_variables(&weights.model, &weights.trained)?;
            let evaluated =
                weights.evaluated.as_ref().map(|held| copies.of_variables(&weights.model, held)).transpose()?;
            Ok(Weights { model: weights.model.clone(), trained, evaluated })
        });
        let models = models.collect::<Result<_, CheckpointError>>()?;
        let state = copies.of_map(&snapshot.state, "")?;
        let ranks = snapshot.ranks.iter().map(|part| copies.of_map(part, "")).collect::<Result<_, _>>()?;
        let snapshot = Snapshot { meta: snapshot.meta.clone(), models, state, ranks };
        Ok(HostCopy { snapshot, memory: copies.memory })
    }

    /// Keeps the memory of a copy that nobody reads any more.
    pub(super) fn keep(&mut self, done: HostCopy) {
        self.free = done.memory;
    }
}

/// Copies on the host, by what they are copies of.
#[derive(Default)]
struct Copies {
    known: BTreeMap<usize, Vec<(Identity, Tensor)>>,
    free: Vec<Tensor>,
    memory: Vec<Tensor>,
}

impl Copies {
    fn of(&mut self, tensor: &Tensor) -> Result<Tensor, TchError> {
        // the writer refuses what can't be held by a file, with a better message
        let Some(identity) = Identity::of(tensor) else { return Ok(tensor.shallow_clone()) };
        let known = self.known.entry(identity.memory).or_default();
        if let Some((_, copy)) = known.iter().find(|(known, _)| *known == identity) {
            return Ok(copy.shallow_clone());
        }
        let original = tensor.f_detach()?;
        let fitting = self.free.iter().position(|memory| identity.is_held_by(memory));
        let mut copy = match fitting {
            Some(place) => self.free.remove(place),
            None => memory_for(&original)?,
        };
        fill(&mut copy, &original)?;
        self.memory.push(copy.shallow_clone());
        known.push((identity, copy.shallow_clone()));
        Ok(copy)
    }

    fn of_variables(&mut self, model: &str, held: &Variables) -> Result<Variables, CheckpointError> {
        let copied = held.iter().map(|(name, tensor)| {
            let copy = self.of(tensor).map_err(|source| not_copied(&format!("{model}.{name}"), &source))?;
            Ok((name.clone(), copy))
        });
        copied.collect()
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

/// Host memory for a copy of a tensor: in the tensor's own order where it has no gaps, so that copying is one run through
/// memory, and where the tensor lies on a device, pinned, so that the device writes there directly.
fn memory_for(tensor: &Tensor) -> Result<Tensor, TchError> {
    match tensor.device() {
        Device::Cpu => tensor.f_empty_like(),
        _ => pinned_like(tensor).map_err(|error| TchError::Torch(error.text)),
    }
}

/// Copies a tensor into memory for it.
fn fill(copy: &mut Tensor, original: &Tensor) -> Result<(), TchError> {
    match copy_in_a_row(copy, original) {
        true => Ok(()),
        false => copy.f_copy_(original),
    }
}

fn not_copied(name: &str, source: &TchError) -> CheckpointError {
    CheckpointError::Copy { name: name.to_owned(), why: source.to_string() }
}
