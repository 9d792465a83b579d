//! The indices of a pass, in order.

use crate::base::error::{Error, Result};
use crate::data::sampler::pass::Pass;
use crate::random::{Permutation, Stream, WeightTable, permutation};
use std::ops::Range;
use std::sync::Arc;

/// Up to this many samples, an order is a list that was shuffled (Fisher-Yates); above, it is computed index by index.
const LISTED: usize = 1_000_000;

/// The indices of a pass, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Order {
    /// `0..len`, which takes no memory.
    Range(usize),
    /// A list of indices.
    List(Vec<usize>),
    /// A random order that needs no memory.
    Permutation(Permutation),
    /// Weighted draws: draw n uses number n of the stream.
    Draws {
        /// The weights.
        table: Arc<WeightTable>,
        /// The random numbers, from the first draw on.
        stream: Stream,
        /// How many draws.
        len: usize,
    },
}

impl Order {
    /// `0..len` in a random order. It needs 8 bytes per sample up to a million samples, and no memory above that.
    ///
    /// ```
    /// use engine::data::{Order, Pass};
    /// let pass = Pass { seed: 42, number: 0 };
    /// let few = Order::shuffled(3, &pass);
    /// let mut indices: Vec<_> = (0..3).filter_map(|position| few.get(position)).collect();
    /// indices.sort();
    /// assert_eq!(indices, [0, 1, 2]);
    /// assert!(matches!(Order::shuffled(3_000_000_000, &pass), Order::Permutation(_)));
    /// ```
    pub fn shuffled(len: usize, pass: &Pass) -> Self {
        match len > LISTED {
            true => Order::Permutation(Permutation::new(len as u64, &mut pass.stream())),
            false => Order::List(permutation(len, &mut pass.stream())),
        }
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Order::Range(len) | Order::Draws { len, .. } => *len,
            Order::List(list) => list.len(),
            Order::Permutation(permutation) => permutation.len() as usize,
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the indices at these positions to a list, in order; positions past the end are ignored. The result is
    /// the same as with [`Order::get`] for each position, but faster: weighted draws read their stream sequentially,
    /// while a single draw computes a whole block of the cipher.
    ///
    /// ```
    /// use engine::data::{Order, Pass};
    /// let order = Order::shuffled(5, &Pass { seed: 42, number: 0 });
    /// let mut indices = Vec::new();
    /// order.extend(3..9, &mut indices);
    /// assert_eq!(indices, [order.get(3).unwrap(), order.get(4).unwrap()]);
    /// ```
    pub fn extend(&self, positions: Range<usize>, indices: &mut Vec<usize>) {
        let Range { start, end } = positions;
        let end = end.min(self.len());
        if start >= end {
            return;
        }
        match self {
            Order::Range(_) => indices.extend(start..end),
            Order::List(list) => indices.extend_from_slice(&list[start..end]),
            Order::Permutation(permutation) => {
                indices
                    .extend((start..end).filter_map(|position| permutation.get(position as u64)).map(|at| at as usize));
            }
            Order::Draws { table, stream, .. } => {
                let mut stream = stream.starting_at(start as u64);
                indices.extend((start..end).map(|_| table.at(stream.unit())));
            }
        }
    }

    /// The index at this position, computed without the earlier ones.
    pub fn get(&self, position: usize) -> Option<usize> {
        match self {
            Order::Range(len) => (position < *len).then_some(position),
            Order::List(list) => list.get(position).copied(),
            Order::Permutation(permutation) => permutation.get(position as u64).map(|index| index as usize),
            Order::Draws { table, stream, len } => {
                (position < *len).then(|| table.at(stream.starting_at(position as u64).unit()))
            }
        }
    }
}

/// An empty list with room for so many indices.
///
/// # Errors
/// When there is not enough memory.
pub(super) fn room_for(samples: usize) -> Result<Vec<usize>> {
    let mut list = Vec::new();
    list.try_reserve_exact(samples).map_err(|_| {
        Error::msg(format!("there is not enough memory for the order of {samples} samples, 8 bytes each"))
    })?;
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: Pass = Pass { seed: 42, number: 0 };

    fn list(order: &Order) -> Vec<usize> {
        (0..order.len()).map(|position| order.get(position).unwrap()).collect()
    }

    #[test]
    fn a_run_of_positions_has_the_indices_of_its_positions_one_by_one() {
        let weights: Vec<f64> = (0..50).map(f64::from).collect();
        let table = Arc::new(WeightTable::new(&weights).unwrap());
        let orders = [
            Order::Range(50),
            Order::shuffled(50, &PASS),
            Order::Permutation(Permutation::new(50, &mut PASS.stream())),
            Order::Draws { table, stream: PASS.stream(), len: 50 },
        ];
        for order in orders {
            let all = list(&order);
            for range in [0..50, 0..1, 7..31, 49..50, 13..13, 40..99, 60..70] {
                let mut indices = vec![1000];
                order.extend(range.clone(), &mut indices);
                let within = range.start.min(50)..range.end.min(50);
                assert_eq!(indices, [&[1000], &all[within]].concat(), "{range:?} of {order:?}");
            }
        }
    }

    #[test]
    fn up_to_a_million_samples_are_shuffled_as_a_list_and_more_by_computing() {
        let of = |len| Order::shuffled(len, &PASS);
        let Order::List(listed) = of(1_000_000) else { panic!("no list") };
        assert_eq!(listed, permutation(1_000_000, &mut PASS.stream()));
        assert!(matches!(of(1_000_001), Order::Permutation(_)));
    }
}
