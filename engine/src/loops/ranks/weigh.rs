//! How the batches of all ranks share the gradient of an update.

use crate::base::Result;
use crate::dist::Process;
use crate::loops::share::{Shares, Weighed};

/// The shares of these batches in the mean over all batches of all ranks. The exchange of gradients takes the mean over
/// ranks, so that a share is `world` times the part of the sum of weights. A batch of which the rank has no sample is
/// `None`.
pub(in crate::loops) fn shares<B>(process: &Process, batches: &[Option<Weighed<B>>]) -> Result<Shares> {
    let own = || batches.iter().flatten().map(|batch| batch.weight);
    let Process::Group(group) = process else { return Ok(Shares::of(own())) };
    let (sum, count) = (own().sum::<f64>(), own().count() as f64);
    let least = own().fold(f64::INFINITY, f64::min);
    let most = own().fold(f64::NEG_INFINITY, f64::max);
    let all = group.begin_numbers("the weighing of batches", &[sum, count, least, most])?.wait(group)?;
    let ranks = || all.chunks_exact(4);
    let equal = ranks().all(|rank| rank[1] == count && rank[2] == least && rank[3] == least);
    Ok(match equal && count > 0.0 {
        true => Shares::Equal(1.0 / count),
        false => Shares::ByWeight { total: ranks().map(|rank| rank[0]).sum::<f64>() / group.world() as f64 },
    })
}
