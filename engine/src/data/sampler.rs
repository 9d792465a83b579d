//! The order of samples: pure functions of (seed, pass).

use crate::base::error::{Error, Result};
use crate::random::{Permutation, Stream, WeightTable, permutation};
use engine_macros::component;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Chooses the samples of a pass and their order.
///
/// A sampler has no state: the order of a pass depends only on its settings, the data and the [`Pass`], so that a
/// resumed run needs no replay. The order is for the whole run: when several processes share a run, they read from the
/// same order in turn, so that it does not change with their number.
///
/// ```
/// use engine::data::{Order, Pass, Population, Sampler};
/// use engine::prelude::*;
///
/// /// Every second sample, beginning with the first one in even passes.
/// #[component(sampler)]
/// struct Alternating {}
///
/// impl Sampler for Alternating {
///     fn samples(&self, data: &Population<'_>) -> usize {
///         data.len / 2
///     }
///     fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
///         Ok(Order::List((0..data.len / 2).map(|n| 2 * n + (pass.number % 2) as usize).collect()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampler",
    label = "this type does not implement `Sampler`",
    note = "implement `engine::data::Sampler` for `{Self}`"
)]
pub trait Sampler: Debug + Send + Sync {
    /// The number of samples in one pass; by default the number of samples in the dataset.
    fn samples(&self, data: &Population<'_>) -> usize {
        data.len
    }

    /// True when passes follow each other without an end, so that a batch may contain samples of two passes.
    fn endless(&self) -> bool {
        false
    }

    /// Another sampler, as a file writes it, with the same order in every pass: a run of one may be resumed with the
    /// other. `None` when no other sampler has this order.
    fn order_name(&self) -> Option<String> {
        None
    }

    /// Whether the order depends on the dataset's weights. A sampler that ignores them returns `false`, so that a run
    /// may be resumed in the middle of a pass when only the weights have changed.
    fn uses_weights(&self) -> bool {
        true
    }

    /// The order of one pass: exactly [`Sampler::samples`] indices, each below the number of samples in the dataset.
    ///
    /// # Errors
    /// When the data can't be sampled this way.
    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order>;
}

/// The data, as a sampler sees it.
#[derive(Clone, Copy, Debug)]
pub struct Population<'a> {
    /// The number of samples in the dataset.
    pub len: usize,
    /// The dataset's weights, one for each sample, if it has any.
    pub weights: Option<&'a [f64]>,
    table: Option<&'a OnceLock<Arc<WeightTable>>>,
}

impl<'a> Population<'a> {
    /// `len` samples with these weights.
    pub fn new(len: usize, weights: Option<&'a [f64]>) -> Self {
        Population { len, weights, table: None }
    }

    /// The same; what is made of the weights is kept here for the passes to come.
    pub(super) fn keeping(self, table: &'a OnceLock<Arc<WeightTable>>) -> Self {
        Population { table: Some(table), ..self }
    }

    /// The running sums of the weights. They are computed once per loader, not once per pass.
    ///
    /// # Errors
    /// When there are no weights, when there is not one for each sample, or when they are not valid.
    pub fn weight_table(&self) -> Result<Arc<WeightTable>> {
        if let Some(table) = self.table.and_then(OnceLock::get) {
            return Ok(table.clone());
        }
        let weights = self.weights.ok_or_else(|| {
            Error::msg("the sampler `Weighted` needs a weight for each sample, and the dataset has none; implement `Dataset::weights`")
        })?;
        if weights.len() != self.len {
            let text = format!(
                "the dataset has {} weights for {} samples; `Dataset::weights` gives one for each",
                weights.len(),
                self.len
            );
            return Err(Error::msg(text));
        }
        let table = Arc::new(WeightTable::new(weights)?);
        Ok(self.table.map_or(&table, |kept| kept.get_or_init(|| table.clone())).clone())
    }
}

/// One pass over the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The loader's own seed.
    pub seed: u64,
    /// Which pass, from 0.
    pub number: u64,
}

impl Pass {
    /// The random bits of this pass.
    pub fn stream(&self) -> Stream {
        Stream::new(self.seed, "order", self.number, 0)
    }
}

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

/// A sampler that a file can choose. `#[component(sampler)]` implements and registers it.
#[typetag::serde]
pub trait SamplerConfig: Sampler {
    /// The same settings again.
    fn clone_sampler(&self) -> Box<dyn SamplerConfig>;
}

impl Clone for Box<dyn SamplerConfig> {
    fn clone(&self) -> Self {
        self.clone_sampler()
    }
}

/// From the first sample to the last.
#[component(sampler)]
#[derive(Default, PartialEq, Eq)]
pub struct Sequential {}

#[diagnostic::do_not_recommend]
impl Sampler for Sequential {
    fn uses_weights(&self) -> bool {
        false
    }

    fn order(&self, data: &Population<'_>, _: &Pass) -> Result<Order> {
        Ok(Order::Range(data.len))
    }
}

/// Each sample once, in an order that is new for each pass.
#[component(sampler)]
#[derive(Default, PartialEq, Eq)]
pub struct Shuffled {}

#[diagnostic::do_not_recommend]
impl Sampler for Shuffled {
    fn uses_weights(&self) -> bool {
        false
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::shuffled(data.len, pass))
    }
}

/// Samples drawn with a chance in proportion to the dataset's weights, the same one possibly several times.
#[component(sampler)]
#[derive(Default, PartialEq, Eq)]
pub struct Weighted {
    /// The number of samples drawn for a pass; as many as the dataset has when it is not given.
    #[config(default, range = 1..)]
    pub samples: Option<usize>,
}

#[diagnostic::do_not_recommend]
impl Sampler for Weighted {
    fn samples(&self, data: &Population<'_>) -> usize {
        self.samples.unwrap_or(data.len)
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::Draws { table: data.weight_table()?, stream: pass.stream(), len: self.samples(data) })
    }
}

/// The passes of [`Shuffled`] one after the other without an end, for training by iter: every batch is full, and one
/// batch may hold the end of a pass and the beginning of the next.
#[component(sampler)]
#[derive(Default, PartialEq, Eq)]
pub struct Infinite {}

#[diagnostic::do_not_recommend]
impl Sampler for Infinite {
    fn endless(&self) -> bool {
        true
    }

    fn order_name(&self) -> Option<String> {
        Some("Shuffled()".into())
    }

    fn uses_weights(&self) -> bool {
        false
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::shuffled(data.len, pass))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: Pass = Pass { seed: 42, number: 0 };

    fn list(order: &Order) -> Vec<usize> {
        (0..order.len()).map(|position| order.get(position).unwrap()).collect()
    }

    #[test]
    fn the_order_of_a_pass_keeps_its_values() {
        let data = Population::new(10, Some(&[1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
        let of = |sampler: &dyn Sampler, number| list(&sampler.order(&data, &Pass { seed: 42, number }).unwrap());
        assert_eq!(of(&Sequential {}, 5), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(of(&Shuffled {}, 0), [6, 2, 3, 1, 5, 8, 7, 9, 4, 0]);
        assert_eq!(of(&Shuffled {}, 1), [2, 7, 5, 4, 9, 6, 8, 0, 1, 3]);
        assert_eq!(of(&Infinite {}, 1), of(&Shuffled {}, 1));
        assert_eq!(of(&Weighted { samples: Some(12) }, 0), [0, 2, 0, 0, 3, 3, 2, 2, 3, 3, 2, 2]);
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

    #[test]
    fn weights_are_drawn_by_in_proportion() {
        let weights = [1.0, 0.0, 3.0];
        let data = Population::new(3, Some(&weights));
        let draws = list(&Weighted { samples: Some(8000) }.order(&data, &PASS).unwrap());
        let of = |index| draws.iter().filter(|draw| **draw == index).count();
        assert_eq!((draws.len(), of(1)), (8000, 0));
        // expected 2,000 with a standard deviation of 39
        assert!((1_850..2_150).contains(&of(0)), "{}", of(0));
    }

    #[test]
    fn the_weights_are_added_up_once_for_all_passes() {
        let kept = OnceLock::new();
        let data = Population::new(2, Some(&[1.0, 2.0])).keeping(&kept);
        let table = |number| match Weighted::default().order(&data, &Pass { seed: 1, number }).unwrap() {
            Order::Draws { table, .. } => table,
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&table(0), &table(1)));
    }

    #[test]
    fn missing_or_misfit_weights_are_refused() {
        let refused = |weights| Weighted::default().order(&Population::new(3, weights), &PASS).unwrap_err();
        assert!(refused(None).to_string().contains("implement `Dataset::weights`"));
        assert!(refused(Some(&[1.0])).to_string().starts_with("the dataset has 1 weights for 3 samples"));
        assert!(refused(Some(&[1.0, -1.0, 1.0])).to_string().starts_with("the weight of sample 1 is -1"));
    }
}
