//! Samples of similar length next to each other.

use crate::base::error::{Error, Result};
use crate::data::sampler::order::{Order, room_for};
use crate::data::sampler::pass::Pass;
use crate::data::sampler::population::{Fact, Population};
use crate::data::sampler::sampler::Sampler;
use crate::random::{permutation, shuffle};
use engine_macros::component;

/// Each sample once, with samples of similar [`Dataset::lengths`](crate::data::Dataset::lengths) next to each other, so
/// that batches of sequences contain little padding.
///
/// The samples of a pass are shuffled and cut into chunks of `group × groups` samples. A chunk is sorted by length, cut
/// into groups, and the groups are shuffled. So batches come in a random order of lengths, and their samples are others in
/// each pass. Groups that are shorter, at the end of a pass, stay at the end.
#[component(sampler)]
#[derive(PartialEq, Eq)]
pub struct ByLength {
    /// Samples of similar length that follow each other: the `batch_size`, times the number of ranks, or a multiple of it.
    #[config(range = 1..=16_777_216, example = 64)]
    pub group: usize,
    /// Groups whose samples are sorted together. More of them make lengths more similar, and the order less random.
    #[config(default = 64, range = 1..=16_777_216)]
    pub groups: usize,
}

#[diagnostic::do_not_recommend]
impl Sampler for ByLength {
    fn uses(&self) -> &'static [Fact] {
        &[Fact::Lengths]
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        let lengths = data.length_of_each("ByLength")?;
        if self.group == 0 || self.groups == 0 {
            return Err(Error::msg("`group` and `groups` of the sampler `ByLength` must be at least 1"));
        }
        let mut stream = pass.stream();
        let mut order: Vec<usize> = room_for(data.len)?;
        let mut shuffled = permutation(data.len, &mut stream);
        for chunk in shuffled.chunks_mut(self.group.saturating_mul(self.groups)) {
            // samples of equal length stay in their random order
            chunk.sort_by_key(|index| lengths[*index]);
            let full = chunk.chunks_exact(self.group);
            let short = full.remainder();
            let mut groups: Vec<&[usize]> = full.collect();
            shuffle(&mut groups, &mut stream);
            groups.into_iter().chain([short]).for_each(|group| order.extend(group));
        }
        Ok(Order::List(order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lengths: &[usize], sampler: &ByLength, number: u64) -> Vec<usize> {
        let data = Population::new(lengths.len(), None).with_lengths(Some(lengths));
        let order = sampler.order(&data, &Pass { seed: 42, number }).unwrap();
        (0..order.len()).map(|position| order.get(position).unwrap()).collect()
    }

    /// Lengths from 1 to 500, most of them short.
    fn lengths(samples: usize) -> Vec<usize> {
        (0..samples).map(|n| 1 + (n * 7919 % 23) * (n * 104_729 % 22)).collect()
    }

    #[test]
    fn the_order_of_a_pass_keeps_its_values() {
        // by an independent program
        let lengths = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
        assert_eq!(order(&lengths, &ByLength { group: 2, groups: 3 }, 0), [2, 7, 3, 1, 6, 9, 0, 8, 10, 4, 5]);
        assert_eq!(order(&lengths, &ByLength { group: 3, groups: 64 }, 1), [3, 1, 6, 8, 10, 4, 9, 0, 2, 7, 5]);
    }

    #[test]
    fn each_sample_comes_once_and_passes_differ() {
        for (samples, sampler) in [(1000, ByLength { group: 8, groups: 10 }), (5, ByLength { group: 64, groups: 64 })] {
            let lengths = lengths(samples);
            let mut all = order(&lengths, &sampler, 3);
            // five samples are one short group, sorted by their lengths
            assert_eq!(all == order(&lengths, &sampler, 4), samples == 5);
            all.sort_unstable();
            assert_eq!(all, (0..samples).collect::<Vec<_>>());
        }
    }

    #[test]
    fn batches_contain_little_padding_and_come_in_a_random_order_of_lengths() {
        let lengths = lengths(4096);
        let padding = |order: &[usize]| {
            let batch = |batch: &[usize]| batch.iter().map(|index| lengths[*index]).max().unwrap() * batch.len();
            let padded: usize = order.chunks(32).map(batch).sum();
            padded as f64 / lengths.iter().sum::<usize>() as f64
        };
        let sampler = ByLength { group: 32, groups: 64 };
        let grouped = order(&lengths, &sampler, 0);
        let shuffled = permutation(4096, &mut Pass { seed: 42, number: 0 }.stream());
        assert!(padding(&shuffled) > 2.5 && padding(&grouped) < 1.1, "{} {}", padding(&shuffled), padding(&grouped));
        // in half of all neighbours the second batch is the longer one: expected 63 with a standard deviation of 4
        let longest: Vec<usize> =
            grouped.chunks(32).map(|batch| batch.iter().map(|index| lengths[*index]).max().unwrap()).collect();
        let rises = longest.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((45..82).contains(&rises), "{rises}");
    }

    #[test]
    fn missing_or_misfit_lengths_are_refused() {
        let refused = |lengths| {
            let data = Population::new(3, None).with_lengths(lengths);
            ByLength { group: 2, groups: 2 }.order(&data, &Pass { seed: 42, number: 0 }).unwrap_err().to_string()
        };
        assert!(refused(None).ends_with("implement `Dataset::lengths`"), "{}", refused(None));
        assert!(refused(Some(&[1, 2])).starts_with("the dataset has 2 lengths for 3 samples"));
    }
}
