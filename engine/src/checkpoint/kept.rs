//! One state in host memory, to which a run can go back without reading the disk.

use super::host::{HostCopy, HostMemory};
use super::{CheckpointError, Snapshot};
use crate::base::units::Iter;

/// The newest state that was kept, if any.
#[derive(Debug, Default)]
pub struct Kept {
    memory: HostMemory,
    copy: Option<HostCopy>,
}

impl Kept {
    /// Copies the snapshot's tensors into host memory, in the place of the ones before. With an error nothing is kept.
    ///
    /// # Errors
    /// When a tensor can't be copied; it is named.
    pub fn keep(&mut self, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        if let Some(old) = self.copy.take() {
            self.memory.keep(old);
        }
        self.copy = Some(self.memory.copy(snapshot)?);
        Ok(())
    }

    /// Forgets the state where it is of a later iter: the training has gone back behind it, and comes to another one.
    pub fn forget_after(&mut self, iter: Iter) {
        if let Some(undone) = self.copy.take_if(|copy| copy.snapshot.meta.iter > iter) {
            self.memory.keep(undone);
        }
    }

    /// The iter of the state.
    pub fn iter(&self) -> Option<Iter> {
        self.copy.as_ref().map(|copy| copy.snapshot.meta.iter)
    }

    /// The state, with tensors of its own: what is restored from it may change them.
    ///
    /// # Errors
    /// When a tensor can't be copied; it is named.
    pub fn get(&self) -> Result<Option<Snapshot>, CheckpointError> {
        self.copy.as_ref().map(|copy| copy.snapshot.to_host()).transpose()
    }
}
