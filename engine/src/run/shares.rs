//! What each batch counts in the gradient of its update.

use crate::base::Result;
use crate::data::samples_of_rank;
use crate::dist::{Numbers, Process};

/// How batches share the gradient of an update: each by its part of the sum of weights, so that the gradient is the mean
/// over all that is counted. Batches of one weight have exactly `1 / n` each.
///
/// In a group of ranks the mean is over the batches of all ranks. The exchange of gradients takes the mean over ranks, so a
/// share is `world` times the part of the sum of weights.
#[derive(Debug)]
pub(crate) enum Shares {
    Equal(f64),
    ByWeight {
        total: f64,
    },
    /// The ranks have told each other their weights, and nobody has needed them yet: they are on their way while the first
    /// batch goes forward.
    OnTheirWay {
        weights: Numbers,
        own: Own,
    },
}

/// What the batches of an update were taken to weigh without asking the other ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Foreseen {
    /// All batches of all ranks together.
    pub(crate) total: f64,
    /// Whether those of this rank weigh something else.
    pub(crate) differs: bool,
}

/// The weights of the batches of this rank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    count: f64,
    least: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Shares::Equal(1.0)
    }
}

impl Shares {
    /// Of batches with these weights, and in a group of those of the other ranks; it does not wait for them.
    ///
    /// # Errors
    /// When a rank is gone.
    pub(crate) fn begin(process: &Process, own: impl Iterator<Item = f64> + Clone) -> Result<Shares> {
        let Process::Group(group) = process else { return Ok(Shares::of(own)) };
        let (sum, count) = (own.clone().sum::<f64>(), own.clone().count() as f64);
        let least = own.clone().fold(f64::INFINITY, f64::min);
        let most = own.fold(f64::NEG_INFINITY, f64::max);
        let weights = group.begin_numbers("the weighing of batches", &[sum, count, least, most])?;
        Ok(Shares::OnTheirWay { weights, own: Own { count, least } })
    }

    /// Of batches of which all ranks together read these samples, each its part. `own` are the weights that those of this
    /// rank have. Where a rank has others than its part of the samples, all gradients have to be multiplied afterwards.
    pub(crate) fn foreseen(
        samples: &[u64],
        rank: usize,
        world: usize,
        own: impl Iterator<Item = f64> + Clone,
    ) -> (Shares, Foreseen) {
        let parts = |rank| samples.iter().map(move |all| samples_of_rank(*all, rank, world)).filter(|part| *part > 0);
        let weights = |rank| parts(rank).map(|part| part as f64);
        let total: f64 = (0..world).flat_map(weights).sum();
        let differs = !own.eq(weights(rank));
        let first = weights(0).next().unwrap_or(0.0);
        let equal =
            (0..world).all(|rank| parts(rank).count() == samples.len() && weights(rank).all(|one| one == first));
        let shares = match equal && !differs && !samples.is_empty() {
            true => Shares::Equal(1.0 / samples.len() as f64),
            false => Shares::ByWeight { total: total / world as f64 },
        };
        (shares, Foreseen { total, differs })
    }

    /// The share of a batch of this weight; waits for the weights of other ranks.
    ///
    /// # Errors
    /// When a rank is gone.
    pub(crate) fn of_one(&mut self, process: &Process, weight: f64) -> Result<f64> {
        if let (Shares::OnTheirWay { .. }, Process::Group(group)) = (&*self, process)
            && let Shares::OnTheirWay { weights, own } = std::mem::take(self)
        {
            *self = of_ranks(&weights.wait(group)?, own, group.world());
        }
        Ok(match self {
            Shares::Equal(share) => *share,
            Shares::ByWeight { total } => weight / *total,
            // only a group has them
            Shares::OnTheirWay { .. } => 1.0,
        })
    }

    fn of(weights: impl Iterator<Item = f64> + Clone) -> Self {
        let first = weights.clone().next();
        match weights.clone().any(|weight| Some(weight) != first) {
            true => Shares::ByWeight { total: weights.sum() },
            false => Shares::Equal(1.0 / weights.count().max(1) as f64),
        }
    }
}

/// Four numbers of each rank: the sum of its weights, their count, the least and the largest.
fn of_ranks(all: &[f64], own: Own, world: usize) -> Shares {
    let ranks = || all.chunks_exact(4);
    let Own { count, least } = own;
    let equal = ranks().all(|rank| rank[1] == count && rank[2] == least && rank[3] == least);
    match equal && count > 0.0 {
        true => Shares::Equal(1.0 / count),
        false => Shares::ByWeight { total: ranks().map(|rank| rank[0]).sum::<f64>() / world as f64 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(weights: &[f64]) -> Vec<f64> {
        let mut shares = Shares::begin(&Process::Alone, weights.iter().copied()).unwrap();
        weights.iter().map(|&weight| shares.of_one(&Process::Alone, weight).unwrap()).collect()
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

    #[test]
    fn shares_that_are_foreseen_are_those_that_ranks_would_tell_each_other() {
        for (samples, world) in [(vec![8, 8], 2), (vec![8, 5], 2), (vec![1], 2), (vec![4, 2], 3), (vec![12], 3)] {
            let own = |rank: usize| -> Vec<f64> {
                let parts = samples.iter().map(|all| samples_of_rank(*all, rank, world) as f64);
                parts.filter(|part| *part > 0.0).collect()
            };
            let told = |rank: usize| {
                let own = own(rank);
                let least = own.iter().copied().fold(f64::INFINITY, f64::min);
                let most = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                [own.iter().sum(), own.len() as f64, least, most]
            };
            let all: Vec<f64> = (0..world).flat_map(told).collect();
            for rank in 0..world {
                let [_, count, least, _] = told(rank);
                let mut asked = of_ranks(&all, Own { count, least }, world);
                let (mut known, foreseen) = Shares::foreseen(&samples, rank, world, own(rank).into_iter());
                assert_eq!(foreseen, Foreseen { total: samples.iter().sum::<u64>() as f64, differs: false });
                for weight in own(rank) {
                    let shares = [&mut asked, &mut known].map(|shares| shares.of_one(&Process::Alone, weight).unwrap());
                    assert_eq!(shares[0], shares[1], "{samples:?} on rank {rank} of {world}");
                }
            }
        }
    }

    #[test]
    fn a_rank_whose_batch_weighs_something_else_says_so() {
        // six samples were read for rank 0, and its batch has five
        let (mut shares, foreseen) = Shares::foreseen(&[12], 0, 2, [5.0].into_iter());
        assert_eq!(foreseen, Foreseen { total: 12.0, differs: true });
        // the exchange divides by two, and all is multiplied by 12 / 11: five parts of eleven
        assert_eq!(shares.of_one(&Process::Alone, 5.0).unwrap(), 5.0 / 6.0);
        assert!(Shares::foreseen(&[12], 0, 2, std::iter::empty()).1.differs);
    }

    #[test]
    fn a_share_among_ranks_is_so_much_larger_as_there_are_ranks() {
        let of = |all: &[f64], count: f64, least: f64, weight: f64| {
            of_ranks(all, Own { count, least }, all.len() / 4).of_one(&Process::Alone, weight).unwrap()
        };
        // two batches of four samples on each of two ranks
        assert_eq!(of(&[8.0, 2.0, 4.0, 4.0, 8.0, 2.0, 4.0, 4.0], 2.0, 4.0, 4.0), 0.5);
        // three samples here, one there: the exchange divides 1.5 by two
        assert_eq!(of(&[3.0, 1.0, 3.0, 3.0, 1.0, 1.0, 1.0, 1.0], 1.0, 3.0, 3.0), 1.5);
        // the other rank has no batch
        assert_eq!(of(&[3.0, 1.0, 3.0, 3.0, 0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY], 1.0, 3.0, 3.0), 2.0);
    }
}
