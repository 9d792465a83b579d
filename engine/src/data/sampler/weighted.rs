//! Samples drawn by their weights.

use crate::base::error::Result;
use crate::data::sampler::order::Order;
use crate::data::sampler::pass::Pass;
use crate::data::sampler::population::{Fact, Population};
use crate::data::sampler::sampler::Sampler;
use engine_macros::component;

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
    fn uses(&self) -> &'static [Fact] {
        &[Fact::Weights]
    }

    fn samples(&self, data: &Population<'_>) -> usize {
        self.samples.unwrap_or(data.len)
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::Draws { table: data.weight_table()?, stream: pass.stream(), len: self.samples(data) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, OnceLock};

    const PASS: Pass = Pass { seed: 42, number: 0 };

    fn list(order: &Order) -> Vec<usize> {
        (0..order.len()).map(|position| order.get(position).unwrap()).collect()
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
