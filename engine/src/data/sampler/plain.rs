//! The samplers that need nothing but the number of samples.

use crate::base::error::Result;
use crate::data::sampler::order::Order;
use crate::data::sampler::pass::Pass;
use crate::data::sampler::population::{Fact, Population};
use crate::data::sampler::sampler::Sampler;
use engine_macros::component;

/// From the first sample to the last.
#[component(sampler)]
#[derive(Default, PartialEq, Eq)]
pub struct Sequential {}

#[diagnostic::do_not_recommend]
impl Sampler for Sequential {
    fn uses(&self) -> &'static [Fact] {
        &[]
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
    fn uses(&self) -> &'static [Fact] {
        &[]
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::shuffled(data.len, pass))
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

    fn uses(&self) -> &'static [Fact] {
        &[]
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        Ok(Order::shuffled(data.len, pass))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::sampler::weighted::Weighted;

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
}
