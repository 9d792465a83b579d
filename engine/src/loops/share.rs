//! What each batch counts in the gradient of its update.

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

/// How batches share the gradient of an update: each by its part of the sum of weights, so that the gradient is the mean
/// over all that is counted. Batches of one weight have exactly `1 / n` each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shares {
    Equal(f64),
    ByWeight { total: f64 },
}

impl Shares {
    /// Of batches with these weights.
    pub(super) fn of(weights: impl Iterator<Item = f64> + Clone) -> Self {
        let first = weights.clone().next();
        match weights.clone().any(|weight| Some(weight) != first) {
            true => Shares::ByWeight { total: weights.sum() },
            false => Shares::Equal(1.0 / weights.count().max(1) as f64),
        }
    }

    pub(super) fn of_one(self, weight: f64) -> f64 {
        match self {
            Shares::Equal(share) => share,
            Shares::ByWeight { total } => weight / total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(weights: &[f64]) -> Vec<f64> {
        let shares = Shares::of(weights.iter().copied());
        weights.iter().map(|&weight| shares.of_one(weight)).collect()
    }

    #[test]
    fn equal_weights_have_exactly_one_part_of_n() {
        assert_eq!(shares(&[7.3; 3]), [1.0 / 3.0; 3]);
        assert_eq!(shares(&[5.0]), [1.0]);
    }

    #[test]
    fn other_weights_have_their_part_of_the_sum() {
        assert_eq!(shares(&[6.0, 2.0, 0.0]), [0.75, 0.25, 0.0]);
    }
}
