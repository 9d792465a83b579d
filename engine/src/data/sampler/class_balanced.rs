//! Every class equally often.

use crate::base::error::{Error, Result};
use crate::data::sampler::order::{Order, room_for};
use crate::data::sampler::pass::Pass;
use crate::data::sampler::population::{Fact, Population};
use crate::data::sampler::sampler::Sampler;
use crate::random::{Stream, shuffle};
use engine_macros::component;
use std::collections::BTreeMap;

/// Every class of [`Dataset::classes`](crate::data::Dataset::classes) equally often, however many samples it has.
///
/// A pass consists of rounds, and in a round each class occurs once, in a random order. The samples of a class come in a
/// random order too, and none of them comes a second time before all others have come once. The last round of a pass is
/// cut when `samples` is not a multiple of the number of classes.
#[component(sampler)]
#[derive(Default, PartialEq, Eq)]
pub struct ClassBalanced {
    /// The number of samples in a pass; as many as the dataset has when it is not given.
    #[config(default, range = 1..)]
    pub samples: Option<usize>,
}

#[diagnostic::do_not_recommend]
impl Sampler for ClassBalanced {
    fn samples(&self, data: &Population<'_>) -> usize {
        self.samples.unwrap_or(data.len)
    }

    fn uses(&self) -> &'static [Fact] {
        &[Fact::Classes]
    }

    fn order(&self, data: &Population<'_>, pass: &Pass) -> Result<Order> {
        let mut members: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (index, class) in data.class_of_each("ClassBalanced")?.iter().enumerate() {
            members.entry(*class).or_default().push(index);
        }
        if members.is_empty() {
            return Err(Error::msg("the sampler `ClassBalanced` needs at least one sample"));
        }
        let (samples, classes) = (self.samples(data), members.len());
        let mut order: Vec<usize> = room_for(samples)?;
        let mut stream = pass.stream();
        let rounds = samples.div_ceil(classes);
        let turns = members.values_mut().map(|members| turns(members, rounds, &mut stream));
        let turns: Vec<Vec<usize>> = turns.collect::<Result<_>>()?;
        let mut round: Vec<usize> = (0..classes).collect();
        while order.len() < samples {
            let turn = order.len() / classes;
            shuffle(&mut round, &mut stream);
            order.extend(round.iter().take(samples - order.len()).map(|class| turns[*class][turn]));
        }
        Ok(Order::List(order))
    }
}

/// So many samples of a class: all of them in a random order, then all of them in another one.
fn turns(members: &mut [usize], count: usize, stream: &mut Stream) -> Result<Vec<usize>> {
    let mut turns = room_for(count)?;
    while turns.len() < count {
        shuffle(members, stream);
        turns.extend(members.iter().take(count - turns.len()));
    }
    Ok(turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [i64; 10] = [7, 7, 7, 7, 7, 7, -1, -1, 3, 7];

    fn drawn(classes: &[i64], samples: Option<usize>, number: u64) -> Vec<usize> {
        let data = Population::new(classes.len(), None).with_classes(Some(classes));
        let order = ClassBalanced { samples }.order(&data, &Pass { seed: 42, number }).unwrap();
        (0..order.len()).map(|position| order.get(position).unwrap()).collect()
    }

    #[test]
    fn the_order_of_a_pass_keeps_its_values() {
        // by an independent program
        assert_eq!(drawn(&CLASSES, None, 0), [7, 8, 5, 2, 6, 8, 6, 1, 8, 3]);
        assert_eq!(drawn(&CLASSES, Some(7), 1), [4, 8, 7, 9, 6, 8, 2]);
    }

    #[test]
    fn each_class_occurs_once_in_a_round_and_each_of_its_samples_before_any_comes_again() {
        let drawn = drawn(&CLASSES, Some(63), 5);
        for round in drawn.chunks(3) {
            let mut classes: Vec<i64> = round.iter().map(|index| CLASSES[*index]).collect();
            classes.sort_unstable();
            assert_eq!(classes, [-1, 3, 7]);
        }
        // 21 rounds: the seven samples of class 7 three times each
        let of_class_7: Vec<usize> = drawn.iter().copied().filter(|index| CLASSES[*index] == 7).collect();
        for cycle in of_class_7.chunks(7) {
            let mut cycle = cycle.to_vec();
            cycle.sort_unstable();
            assert_eq!(cycle, [0, 1, 2, 3, 4, 5, 9]);
        }
    }

    #[test]
    fn the_places_in_a_round_and_the_samples_of_a_class_are_equally_likely() {
        let (mut first, mut sample) = ([0usize; 3], [0usize; 10]);
        for number in 0..3_000 {
            let drawn = drawn(&CLASSES, Some(3), number);
            first[[-1, 3, 7].iter().position(|class| *class == CLASSES[drawn[0]]).unwrap()] += 1;
            drawn.iter().for_each(|index| sample[*index] += 1);
        }
        // expected 1,000 with a standard deviation of 26
        assert!(first.iter().all(|count| (890..1_110).contains(count)), "{first:?}");
        // expected 1,500 with a standard deviation of 27; and 429 with one of 19
        assert!(sample[6..8].iter().all(|count| (1_390..1_610).contains(count)), "{sample:?}");
        assert!(sample[..6].iter().all(|count| (350..510).contains(count)), "{sample:?}");
    }

    #[test]
    fn missing_or_misfit_classes_and_absurd_numbers_are_refused() {
        let refused = |samples, classes| {
            let data = Population::new(3, None).with_classes(classes);
            ClassBalanced { samples }.order(&data, &Pass { seed: 42, number: 0 }).unwrap_err().to_string()
        };
        assert_eq!(
            refused(None, None),
            "the sampler `ClassBalanced` needs the class of each sample, and the dataset has none; implement `Dataset::classes`"
        );
        assert_eq!(
            refused(None, Some(&[1, 2])),
            "the dataset has 2 classes for 3 samples; `Dataset::classes` gives one for each"
        );
        assert_eq!(
            refused(Some(usize::MAX), Some(&[1, 2, 3])),
            format!("there is not enough memory for the order of {} samples, 8 bytes each", usize::MAX)
        );
    }
}
