//! Copies of a snapshot's tensors in host memory, which is kept from one save to the next.
//!
//! Memory that was written before is much faster to write again than fresh memory, whose pages the system first has to
//! find and clear. So a copy takes the tensors of an earlier copy that is done with, and only what does not fit is taken
//! anew.
//!
//! From a CUDA device the copies can be made on a stream of their own, so that the host does not wait for them. What anybody may
//! change at any time, as weights and states of hooks, is copied before the device computes on. The states of optimizers are
//! changed by the next update alone, so they are copied while the device computes the forward and backward pass before it.

use super::identity::Identity;
use super::{CheckpointError, Snapshot, Variables, Weights};
use crate::base::state::{StateMap, StateValue};
use crate::native::{HostLane, NativeError, PendingCopies, copy_in_a_row, pinned_like};
use std::collections::BTreeMap;
use std::sync::Arc;
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

/// Where copies from a device to the host are queued.
pub(super) trait Lane: PendingCopies {
    /// The device.
    fn device(&self) -> Device;

    /// The copies that follow are of what was computed by now.
    ///
    /// # Errors
    /// Those of the device.
    fn begin(&mut self) -> Result<(), NativeError>;

    /// Queues a copy.
    ///
    /// # Errors
    /// Those of libtorch.
    fn copy(&mut self, into: &mut Tensor, from: &Tensor) -> Result<(), NativeError>;

    /// Notes the place behind all copies so far.
    ///
    /// # Errors
    /// Those of the device.
    fn mark(&mut self) -> Result<(), NativeError>;

    /// Waits for the copies before the last mark.
    ///
    /// # Errors
    /// Those of the device.
    fn wait(&self) -> Result<(), NativeError>;
}

impl Lane for HostLane {
    fn device(&self) -> Device {
        HostLane::device(self)
    }
    fn begin(&mut self) -> Result<(), NativeError> {
        HostLane::begin(self)
    }
    fn copy(&mut self, into: &mut Tensor, from: &Tensor) -> Result<(), NativeError> {
        HostLane::copy(self, into, from)
    }
    fn mark(&mut self) -> Result<(), NativeError> {
        HostLane::mark(self)
    }
    fn wait(&self) -> Result<(), NativeError> {
        HostLane::wait(self)
    }
}

/// Host memory for copies, empty at first.
#[derive(Debug, Default)]
pub(super) struct HostMemory {
    /// Tensors of earlier copies, each with memory of its own, in the order in which they were filled.
    free: Vec<Tensor>,
    /// The lane of an earlier copy.
    lane: Option<Arc<dyn Lane>>,
}

/// A snapshot with tensors of its own on the host. They may be read after [`HostCopy::wait`].
#[derive(Debug)]
pub(super) struct HostCopy {
    pub(super) snapshot: Snapshot,
    /// The memory of its tensors, each once.
    memory: Vec<Tensor>,
    /// Where copies may still be under way.
    lane: Option<Arc<dyn Lane>>,
}

impl HostCopy {
    /// Waits until all tensors are copied.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn wait(&self) -> Result<(), CheckpointError> {
        let waited = self.lane.as_ref().map_or(Ok(()), |lane| lane.wait());
        waited.map_err(|error| CheckpointError::State(format!("the device could not copy it: {error}")))
    }

    /// Who is still copying the states of optimizers, if anybody is.
    pub(super) fn reading(&self) -> Option<Arc<dyn PendingCopies>> {
        self.lane.clone().map(|lane| lane as Arc<dyn PendingCopies>)
    }
}

impl HostMemory {
    /// Copies every tensor, and waits for it. One that is held in several places is copied once. Memory of
    /// earlier copies that this copy does not use is given back to the system.
    ///
    /// # Errors
    /// When libtorch can't copy a tensor; it is named.
    pub(super) fn copy(&mut self, snapshot: &Snapshot) -> Result<HostCopy, CheckpointError> {
        self.copy_by(snapshot, None)
    }

    /// The same, but the host does not wait for a CUDA device: see [`HostCopy::wait`] and [`HostCopy::reading`].
    ///
    /// # Errors
    /// Those of [`HostMemory::copy`].
    pub(super) fn copy_beside(&mut self, snapshot: &Snapshot) -> Result<HostCopy, CheckpointError> {
        let lane = cuda_device_of(snapshot).map(|device| self.lane_of(device)).transpose();
        let lane = lane.map_err(|error| not_copied("the first weight", &TchError::Torch(error.text)))?;
        self.copy_by(snapshot, lane)
    }

    /// The lane of earlier copies when no earlier copy still uses it, else a new one.
    fn lane_of(&mut self, device: Device) -> Result<Arc<dyn Lane>, NativeError> {
        let kept = self.lane.take().filter(|lane| lane.device() == device && Arc::strong_count(lane) == 1);
        kept.map_or_else(|| Ok(Arc::new(HostLane::new(device)?) as Arc<dyn Lane>), Ok)
    }

    /// Copies through the lane when one is given and no earlier copy uses it, else on the calling thread.
    pub(super) fn copy_by(
        &mut self,
        snapshot: &Snapshot,
        mut lane: Option<Arc<dyn Lane>>,
    ) -> Result<HostCopy, CheckpointError> {
        let free = std::mem::take(&mut self.free);
        let mut copies = Copies { free, lane: lane.as_mut().and_then(Arc::get_mut), ..Copies::default() };
        copies.begin()?;
        let models = snapshot.models.iter().map(|weights| {
            let trained = copies.of_variables(&weights.model, &weights.trained)?;
            let evaluated =
                weights.evaluated.as_ref().map(|held| copies.of_variables(&weights.model, held)).transpose()?;
            Ok(Weights { model: weights.model.clone(), trained, evaluated })
        });
        let models = models.collect::<Result<_, CheckpointError>>()?;
        let ranks = snapshot.ranks.iter().map(|part| copies.of_map(part, "")).collect::<Result<_, _>>()?;
        let state = copies.of_map(&snapshot.state, "")?;
        copies.finish()?;
        let memory = copies.memory;
        let snapshot = Snapshot { meta: snapshot.meta.clone(), models, state, ranks };
        Ok(HostCopy { snapshot, memory, lane })
    }

    /// Keeps the memory of a copy that nobody reads any more.
    pub(super) fn keep(&mut self, done: HostCopy) {
        (self.free, self.lane) = (done.memory, done.lane);
    }
}

/// Copies on the host, by what they are copies of.
#[derive(Default)]
struct Copies<'l> {
    known: BTreeMap<usize, Vec<(Identity, Tensor)>>,
    free: Vec<Tensor>,
    memory: Vec<Tensor>,
    lane: Option<&'l mut (dyn Lane + 'static)>,
    /// What the lane copies last: path, copy, original.
    late: Vec<(String, Tensor, Tensor)>,
}

impl Copies<'_> {
    fn begin(&mut self) -> Result<(), CheckpointError> {
        let begun = self.lane.as_mut().map_or(Ok(()), |lane| lane.begin());
        begun.map_err(|error| not_copied("the first weight", &of_libtorch(error)))
    }

    /// From here on the device may change all tensors but those of `late`: for them the caller waits.
    fn finish(&mut self) -> Result<(), CheckpointError> {
        let Some(lane) = &mut self.lane else { return Ok(()) };
        let marked =
            |done: Result<(), NativeError>| done.map_err(|error| not_copied("the last weight", &of_libtorch(error)));
        marked(lane.mark())?;
        marked(lane.block_stream())?;
        for (path, copy, original) in &mut self.late {
            lane.copy(copy, original).map_err(|error| not_copied(path, &of_libtorch(error)))?;
        }
        marked(lane.mark())
    }

    fn of(&mut self, tensor: &Tensor, path: &str) -> Result<Tensor, TchError> {
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
        match &mut self.lane {
            // a copy that libtorch would work on further on the host is not queued
            Some(lane) if lane.device() == original.device() && identity.is_plain() => match is_late(path) {
                true => self.late.push((path.to_owned(), copy.shallow_clone(), original)),
                false => lane.copy(&mut copy, &original).map_err(of_libtorch)?,
            },
            _ => fill(&mut copy, &original)?,
        }
        self.memory.push(copy.shallow_clone());
        known.push((identity, copy.shallow_clone()));
        Ok(copy)
    }

    fn of_variables(&mut self, model: &str, held: &Variables) -> Result<Variables, CheckpointError> {
        let copied = held.iter().map(|(name, tensor)| {
            let path = format!("{model}.{name}");
            let copy = self.of(tensor, &path).map_err(|source| not_copied(&path, &source))?;
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
                StateValue::Tensor(self.of(tensor, path).map_err(|source| not_copied(path, &source))?)
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
        _ => pinned_like(tensor).map_err(of_libtorch),
    }
}

/// Whether only the next update changes what lies there in a snapshot.
fn is_late(path: &str) -> bool {
    let path = path.strip_prefix('/').and_then(|path| path.strip_prefix(Snapshot::UPDATES));
    let path = path.and_then(|path| path.strip_prefix('/')).and_then(|path| path.strip_prefix(Snapshot::OPTIMIZERS));
    path.is_some_and(|path| path.starts_with('/'))
}

/// The CUDA device of the models, if they are on one.
fn cuda_device_of(snapshot: &Snapshot) -> Option<Device> {
    let mut weights = snapshot.models.iter().flat_map(|weights| &weights.trained);
    weights.find_map(|(_, tensor)| matches!(tensor.device(), Device::Cuda(_)).then(|| tensor.device()))
}

fn of_libtorch(error: NativeError) -> TchError {
    TchError::Torch(error.text)
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
