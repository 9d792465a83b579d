//! Which sample comes when: pure functions of (seed, pass).

use crate::base::error::{Error, Result};
use crate::random::{Stream, permutation, weighted_draws};
use engine_macros::component;
use std::fmt::Debug;

/// Chooses the samples of a pass and their order.
///
/// A sampler has no state: the order of a pass depends on its settings, the data and the [`Pass`] alone, so that
/// a resumed run needs no replay. It gives the order for the whole run, however many processes share it: they take
/// turns in it, so the order does not change with their number.
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
    message = "`{Self}` is no sampler",
    label = "this type does not implement `Sampler`",
    note = "implement `engine::data::Sampler` for `{Self}`"
)]
pub trait Sampler: Debug + Send + Sync {
    /// The number of samples in one pass; as many as there are when nothing else is said.
    fn samples(&self, data: &Population<'_>) -> usize {
        data.len
    }

    /// True when the passes follow each other without an end, batches crossing the boundary.
    fn endless(&self) -> bool {
        false
    }

    /// The sampler, as a file writes it, whose order of every pass this one has too: a run may go on with either where
    /// the other one has stopped. `None` when the order is this sampler's alone.
    fn order_name(&self) -> Option<String> {
        None
    }

    /// The order of one pass: exactly [`Sampler::samples`] indices, each below the number of samples.
    ///
    /// # Errors
    /// When the data can't be sampled this way.
    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order>;
}

/// What a sampler knows of the data.
#[derive(Clone, Copy, Debug)]
pub struct Population<'a> {
    /// The number of samples in the dataset.
    pub len: usize,
    /// The dataset's weights, one for each sample, when it has any.
    pub weights: Option<&'a [f64]>,
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

/// The indices of a pass, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `0..len`, which takes no memory.
    Range(usize),
    /// These.
    List(Vec<usize>),
}

impl Order {
    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Order::Range(len) => *len,
            Order::List(list) => list.len(),
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index at this position.
    pub fn get(&self, position: usize) -> Option<usize> {
        match self {
            Order::Range(len) => (position < *len).then_some(position),
            Order::List(list) => list.get(position).copied(),
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
    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::List(permutation(data.len, &mut pass.stream())))
    }
}

/// Samples drawn with a chance in proportion to the dataset's weights, the same one possibly several times.
#[component(sampler)]
#[derive(Default, PartialEq, Eq)]
pub struct Weighted {
    /// The number of samples drawn for a pass; as many as the dataset has when it is not given.
    #[config(default)]
    pub samples: Option<usize>,
}

#[diagnostic::do_not_recommend]
impl Sampler for Weighted {
    fn samples(&self, data: &Population<'_>) -> usize {
        self.samples.unwrap_or(data.len)
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        let weights = data.weights.ok_or_else(|| {
            Error::msg("`Weighted` needs weights, and the dataset has none; implement `Dataset::weights`")
        })?;
        if weights.len() != data.len {
            let text = format!(
                "the dataset has {} weights for {} samples; `Dataset::weights` gives one for each",
                weights.len(),
                data.len
            );
            return Err(Error::msg(text));
        }
        Ok(Order::List(weighted_draws(weights, self.samples(data), &mut pass.stream())?))
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

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::List(permutation(data.len, &mut pass.stream())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: Pass = Pass { seed: 42, number: 0 };

    #[test]
    fn the_order_of_a_pass_keeps_its_values() {
        let data = Population { len: 10, weights: Some(&[1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]) };
        let of = |sampler: &dyn Sampler, number| sampler.order(&data, &Pass { seed: 42, number }).unwrap();
        let list = |values: &[usize]| Order::List(values.to_vec());
        assert_eq!(of(&Sequential {}, 5), Order::Range(10));
        assert_eq!(of(&Shuffled {}, 0), list(&[6, 2, 3, 1, 5, 8, 7, 9, 4, 0]));
        assert_eq!(of(&Shuffled {}, 1), list(&[2, 7, 5, 4, 9, 6, 8, 0, 1, 3]));
        assert_eq!(of(&Infinite {}, 1), of(&Shuffled {}, 1));
        assert_eq!(of(&Weighted { samples: Some(12) }, 0), list(&[0, 2, 0, 0, 3, 3, 2, 2, 3, 3, 2, 2]));
    }

    #[test]
    fn weights_are_drawn_by_in_proportion() {
        let weights = [1.0, 0.0, 3.0];
        let data = Population { len: 3, weights: Some(&weights) };
        let Ok(Order::List(draws)) = Weighted { samples: Some(8000) }.order(&data, &PASS) else { panic!() };
        let of = |index| draws.iter().filter(|draw| **draw == index).count();
        assert_eq!((draws.len(), of(1)), (8000, 0));
        // expected 2,000 with a standard deviation of 39
        assert!((1_850..2_150).contains(&of(0)), "{}", of(0));
    }

    #[test]
    fn missing_or_misfit_weights_are_refused() {
        let refused = |weights| Weighted::default().order(&Population { len: 3, weights }, &PASS).unwrap_err();
        assert!(refused(None).to_string().contains("implement `Dataset::weights`"));
        assert!(refused(Some(&[1.0])).to_string().starts_with("the dataset has 1 weights for 3 samples"));
        assert!(refused(Some(&[1.0, -1.0, 1.0])).to_string().starts_with("the weight of sample 1 is -1"));
    }
}
