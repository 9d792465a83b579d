//! A batch that was read, with what is known of it before its forward pass.

use crate::base::Result;
use crate::data::{Batch, checked_weight};
use crate::run::RunState;

/// A batch and what it says of itself, known before its forward pass.
pub(super) struct Weighed<B> {
    pub(super) batch: B,
    /// Its samples.
    pub(super) size: usize,
    /// What it counts in means over several batches.
    pub(super) weight: f64,
}

impl<B: Batch> Weighed<B> {
    /// # Errors
    /// When the batch states a weight that is none.
    pub(super) fn of(batch: B) -> Result<Self> {
        let size = batch.size();
        let weight = checked_weight(&batch, size)?;
        Ok(Weighed { batch, size, weight })
    }

    /// The batch as steps are given it: on the device, in the kinds and the layout of the run.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub(super) fn onto(self, run: &RunState) -> Result<Self> {
        Ok(Weighed { batch: run.numerics.place(self.batch, run.device)?, ..self })
    }
}
