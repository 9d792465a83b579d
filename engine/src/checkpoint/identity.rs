//! Which tensors are one.

use crate::native::storage_id;
use tch::{Device, Kind, Tensor};

/// Which elements of which memory a tensor has. Two tensors that are equal in it are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) memory: usize,
    device: Device,
    shape: Vec<i64>,
    stride: Vec<i64>,
    kind: Kind,
    negated: bool,
    conjugated: bool,
}

impl Identity {
    /// `None` for a tensor without elements in a memory: undefined, sparse, laid out for oneDNN, or empty.
    pub(super) fn of(tensor: &Tensor) -> Option<Identity> {
        if !tensor.defined() || storage_id(tensor).is_none() || tensor.numel() == 0 {
            return None;
        }
        Some(Identity {
            memory: tensor.data_ptr() as usize,
            device: tensor.device(),
            shape: tensor.size(),
            stride: tensor.stride(),
            kind: tensor.f_kind().ok()?,
            negated: tensor.f_is_neg().ok()?,
            conjugated: tensor.f_is_conj().ok()?,
        })
    }

    /// Whether its elements have the values that lie in memory.
    pub(super) fn is_plain(&self) -> bool {
        !self.negated && !self.conjugated
    }

    /// Whether memory on the host, as it was taken for a tensor like this one, can hold a copy of this one.
    pub(super) fn is_held_by(&self, memory: &Tensor) -> bool {
        // what comes from a device was taken pinned, and in the order of its elements
        let laid_out = self.device != Device::Cpu || memory.stride() == self.stride;
        memory.f_kind().is_ok_and(|kind| kind == self.kind)
            && memory.size() == self.shape
            && laid_out
            && !self.negated
            && !self.conjugated
    }
}
