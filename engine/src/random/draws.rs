//! Orders and draws: what samplers are made of.

use crate::random::stream::Stream;

/// Puts the items into a random order, each order equally likely (Fisher-Yates, from the last item down).
///
/// ```
/// use engine::random::{Stream, shuffle};
///
/// let mut names = ["a", "b", "c", "d"];
/// shuffle(&mut names, &mut Stream::new(7, "example", 0, 0));
/// let mut sorted = names;
/// sorted.sort();
/// assert_eq!(sorted, ["a", "b", "c", "d"]);
/// ```
pub fn shuffle<T>(items: &mut [T], stream: &mut Stream) {
    for last in (1..items.len()).rev() {
        items.swap(last, stream.below(last as u64 + 1) as usize);
    }
}

/// The numbers `0..len` in a random order.
///
/// ```
/// use engine::random::{Stream, permutation};
///
/// // an order for each epoch, without that of the one before
/// let order = |epoch| permutation(100, &mut Stream::new(42, "order", epoch, 0));
/// assert_eq!(order(3), order(3));
/// assert_ne!(order(3), order(4));
/// ```
pub fn permutation(len: usize, stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    shuffle(&mut order, stream);
    order
}

/// The running sums of weights, so that a weighted draw needs one random number and no list.
#[derive(Debug)]
pub struct WeightTable {
    /// Of the weights up to and with each index.
    sums: Vec<f64>,
    total: f64,
    /// The last index that has a chance.
    last: usize,
}

impl WeightTable {
    /// Adds the weights up: 8 bytes for each.
    ///
    /// # Errors
    /// When a weight is negative or no finite number, none is above 0, or there is not enough memory.
    pub fn new(weights: &[f64]) -> Result<Self, WeightError> {
        let mut sums = Vec::new();
        sums.try_reserve_exact(weights.len()).map_err(|_| WeightError::Memory { weights: weights.len() })?;
        let mut total = 0.0;
        for (index, &weight) in weights.iter().enumerate() {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(WeightError::Weight { index, weight });
            }
            total += weight;
            sums.push(total);
        }
        if !(total > 0.0 && total.is_finite()) {
            return Err(WeightError::Total { total });
        }
        let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
        Ok(WeightTable { sums, total, last })
    }

    /// The index for a number in `0.0..1.0`. Each index has a part of this range in proportion to its weight.
    pub fn at(&self, unit: f64) -> usize {
        let at = unit * self.total;
        // rounding may put a draw on the total itself, behind every weight: it belongs to the last one that has a chance
        self.sums.partition_point(|sum| *sum <= at).min(self.last)
    }
}

/// `count` indices, each drawn with a probability in proportion to its weight, with replacement.
///
/// # Errors
/// Those of [`WeightTable::new`].
pub fn weighted_draws(weights: &[f64], count: usize, stream: &mut Stream) -> Result<Vec<usize>, WeightError> {
    let table = WeightTable::new(weights)?;
    Ok((0..count).map(|_| table.at(stream.unit())).collect())
}

/// Why weights can't be used for drawing.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// One weight is unusable.
    #[error("the weight of sample {index} is {weight}, expected a finite number of at least 0")]
    Weight {
        /// Whose weight.
        index: usize,
        /// The weight.
        weight: f64,
    },
    /// Nothing can be drawn.
    #[error("the weights add up to {total}, expected a finite number above 0")]
    Total {
        /// Their sum.
        total: f64,
    },
    /// There are more weights than fit in memory.
    #[error("there is not enough memory for the sums of {weights} weights, 8 bytes each")]
    Memory {
        /// How many.
        weights: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream::new(42, "order", 0, 0)
    }

    #[test]
    fn orders_and_draws_keep_their_values() {
        // by an independent program
        assert_eq!(permutation(10, &mut stream()), [6, 2, 3, 1, 5, 8, 7, 9, 4, 0]);
        assert_eq!(permutation(10, &mut Stream::new(42, "order", 1, 0)), [2, 7, 5, 4, 9, 6, 8, 0, 1, 3]);
        let draws = weighted_draws(&[1.0, 2.0, 3.0, 4.0], 12, &mut stream()).unwrap();
        assert_eq!(draws, [0, 2, 0, 0, 3, 3, 2, 2, 3, 3, 2, 2]);
    }

    #[test]
    fn every_order_of_four_is_equally_likely() {
        let mut stream = stream();
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            *counts.entry(permutation(4, &mut stream)).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // expected 1,000 with a standard deviation of 31
        assert!(counts.values().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }

    #[test]
    fn draws_follow_the_weights_and_never_hit_a_zero() {
        let draws = weighted_draws(&[0.0, 1.0, 3.0, 0.0], 20_000, &mut stream()).unwrap();
        let of = |index| draws.iter().filter(|draw| **draw == index).count();
        assert_eq!((of(0), of(3)), (0, 0));
        // expected 5,000 with a standard deviation of 61
        assert!((4_700..5_300).contains(&of(1)), "{}", of(1));
    }

    #[test]
    fn unusable_weights_are_refused_by_index() {
        let refused = |weights: &[f64]| weighted_draws(weights, 1, &mut stream()).unwrap_err().to_string();
        assert_eq!(refused(&[1.0, -0.5]), "the weight of sample 1 is -0.5, expected a finite number of at least 0");
        assert_eq!(refused(&[f64::NAN]), "the weight of sample 0 is NaN, expected a finite number of at least 0");
        assert_eq!(refused(&[0.0, 0.0]), "the weights add up to 0, expected a finite number above 0");
        assert_eq!(refused(&[]), "the weights add up to 0, expected a finite number above 0");
    }
}
