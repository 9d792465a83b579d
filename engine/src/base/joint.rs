//! Sums over all processes that train together, for layers that compute over the batch of all of them. Whoever joins the
//! processes sets how.

use crate::base::Result;
use std::sync::{Arc, PoisonError, RwLock};
use tch::Tensor;

/// The sum of a tensor over all ranks, in a new tensor. Gradients go back to every rank: that of the sum is the sum of those
/// of all ranks.
pub type SumOverRanks = dyn Fn(&Tensor) -> Result<Tensor> + Send + Sync;

static SUM: RwLock<Option<Arc<SumOverRanks>>> = RwLock::new(None);

/// Sets how batch norm sums over ranks in training; `None`: it is over the samples of this process.
pub fn set_sum_for_batch_norm(sum: Option<Arc<SumOverRanks>>) {
    *SUM.write().unwrap_or_else(PoisonError::into_inner) = sum;
}

/// How batch norm sums over ranks, if it is to.
pub fn sum_for_batch_norm() -> Option<Arc<SumOverRanks>> {
    SUM.read().unwrap_or_else(PoisonError::into_inner).clone()
}
