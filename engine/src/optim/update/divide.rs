//! Divides the state of the optimizers over ranks, and tells how large the parts are.

use crate::base::Result;
use crate::native::ProcessGroup;
use crate::optim::update::Updates;
use crate::optim::update::sharded::{ShardSize, Sharded, StateBytes, state_bytes};
use std::sync::Arc;

impl Updates {
    /// From now on this rank updates only its part of the parameters, has only the state of that part, and gets the other
    /// parameters from the ranks that update them. To be called before states are loaded, on every rank.
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn shard(&mut self, group: &Arc<ProcessGroup>) -> Result<()> {
        self.sharded = Sharded::divide(&mut self.optimizers, group)?;
        Ok(())
    }

    /// How much of the optimizers' state this rank has, if it is divided.
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn shard_size(&self) -> Result<Option<ShardSize>> {
        self.sharded.size(&self.optimizers)
    }

    /// The state of the optimizers, divided over so many ranks; nothing has to be divided yet.
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn state_bytes(&self, ranks: usize) -> Result<StateBytes> {
        state_bytes(&self.optimizers, ranks)
    }
}
