//! What the order of a loader's samples depends on.

use crate::base::error::Result;
use crate::base::state::{Saved, StateError, StateMap, StateValue};
use crate::data::facts::Facts;

/// Everything on which the common order of a loader depends. Two loaders with equal values give the same samples in
/// the same order, with any `batch_size` and number of workers.
///
/// A checkpoint contains it together with the [`Cursor`](crate::data::Cursor), because a position is valid only in its
/// order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonOrder {
    /// The loader's name.
    pub loader: String,
    /// The run's seed.
    pub seed: u64,
    /// The sampler with its settings, as a file writes it; `Infinite()` counts as `Shuffled()`, whose order it has.
    pub sampler: String,
    /// The number of samples in the dataset.
    pub population: u64,
    /// The number of samples in one pass.
    pub samples: u64,
    /// What the dataset says of its samples, as far as the sampler uses it.
    pub facts: Facts,
}

impl CommonOrder {
    /// The differences to the order in a checkpoint, as texts: `the seed is 43, it was 42`. Empty when the orders are
    /// the same.
    pub fn changes_since(&self, saved: &CommonOrder) -> Vec<String> {
        let changed = |what: &str, now: &str, was: &str| (now != was).then(|| format!("{what} is {now}, it was {was}"));
        let number = |what: &str, now: u64, was: u64| changed(what, &now.to_string(), &was.to_string());
        [
            changed("the loader's name", &format!("`{}`", self.loader), &format!("`{}`", saved.loader)),
            number("the seed", self.seed, saved.seed),
            self.other_sampler(saved),
            number("the number of samples", self.population, saved.population),
            number("the number of samples in a pass", self.samples, saved.samples)
                .filter(|_| self.population == saved.population && self.sampler == saved.sampler),
        ]
        .into_iter()
        .flatten()
        .chain(self.other_facts(saved))
        .collect()
    }

    fn other_sampler(&self, saved: &CommonOrder) -> Option<String> {
        if self.sampler == saved.sampler {
            return None;
        }
        Some(match (stream(&self.sampler), stream(&saved.sampler)) {
            (Some((now, _)), Some((was, _))) if now != was => format!("`buffer` is {now}, it was {was}"),
            (Some(_), Some(_)) => {
                "the files of the stream are not those that they were: others, changed ones, or in another order"
                    .to_owned()
            }
            _ => format!("the sampler is `{}`, it was `{}`", self.sampler, saved.sampler),
        })
    }

    /// As many values as samples: other ones are news only where their number is the same.
    fn other_facts(&self, saved: &CommonOrder) -> Vec<String> {
        match self.population == saved.population && self.sampler == saved.sampler {
            true => self.facts.changes_since(&saved.facts),
            false => Vec::new(),
        }
    }
}

/// What stands in the place of a stream's sampler.
pub(super) fn of_stream(buffer: usize, data: &str) -> String {
    format!("buffer: {buffer}, data: {data}")
}

/// The buffer of a stream, and the hash of what its data say of themselves.
fn stream(sampler: &str) -> Option<(&str, &str)> {
    sampler.strip_prefix("buffer: ")?.split_once(", data: ")
}

#[diagnostic::do_not_recommend]
impl Saved for CommonOrder {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("loader", &self.loader);
        map.put("seed", &self.seed);
        map.put("sampler", &self.sampler);
        map.put("population", &self.population);
        map.put("samples", &self.samples);
        self.facts.put(&mut map);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(CommonOrder {
            loader: map.take("loader")?,
            seed: map.take("seed")?,
            sampler: map.take("sampler")?,
            population: map.take("population")?,
            samples: map.take("samples")?,
            facts: Facts::take(&mut map)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        ByLength, ClassBalanced, Dataset, Loader, LoaderConfig, Order, Pass, Population, Sampler, SamplerConfig,
        Shuffled, Weighted,
    };
    use crate::random::SampleRng;
    use serde::{Deserialize, Serialize};

    /// Numbers, of which as much is told as the settings say.
    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    struct Told {
        weights: Vec<f64>,
        classes: Vec<i64>,
        lengths: Vec<usize>,
    }

    impl Dataset for Told {
        type Config = Told;
        type Item = f64;
        fn open(config: &Told) -> Result<Self> {
            Ok(config.clone())
        }
        fn len(&self) -> usize {
            3
        }
        fn get(&self, index: usize, _: &mut SampleRng) -> Result<f64> {
            Ok(index as f64)
        }
        fn weights(&self) -> Option<&[f64]> {
            Some(&self.weights)
        }
        fn classes(&self) -> Option<&[i64]> {
            Some(&self.classes)
        }
        fn lengths(&self) -> Option<&[usize]> {
            Some(&self.lengths)
        }
    }

    fn order(sampler: impl SamplerConfig + 'static, told: &Told) -> CommonOrder {
        let mut config = LoaderConfig::new(told.clone(), 1);
        config.sampler = Some(Box::new(sampler));
        Loader::<Told>::open("train", &config, 7).unwrap().common_order().unwrap()
    }

    #[test]
    fn what_the_sampler_uses_of_the_dataset_is_part_of_the_order() {
        let one = Told { weights: vec![1.0, 2.0, 3.0], classes: vec![0, 0, 1], lengths: vec![5, 6, 7] };
        let other = Told { weights: vec![1.0, 2.0, 4.0], classes: vec![0, 1, 1], lengths: vec![5, 6, 6] };
        let changes = |now: CommonOrder, was: CommonOrder| {
            // it comes back from a checkpoint as it was
            assert_eq!(CommonOrder::restore(was.save()).unwrap(), was);
            now.changes_since(&was)
        };
        let weighted = |told| order(Weighted::default(), told);
        assert_eq!(changes(weighted(&one), weighted(&one)), Vec::<String>::new());
        assert_eq!(changes(weighted(&other), weighted(&one)), ["the dataset has other weights"]);
        let balanced = |told| order(ClassBalanced::default(), told);
        assert_eq!(changes(balanced(&other), balanced(&one)), ["the dataset has other classes"]);
        let by_length = |told| order(ByLength { group: 2, groups: 2 }, told);
        assert_eq!(changes(by_length(&other), by_length(&one)), ["the dataset has other lengths"]);
        let shuffled = |told| order(Shuffled::default(), told);
        assert_eq!(shuffled(&other), shuffled(&one));
        // a sampler that does not say what it uses may use anything
        let any = |told| order(Unsaid {}, told);
        assert_eq!(changes(any(&other), any(&one)).len(), 3);
    }

    /// Does not say what it uses.
    #[engine_macros::component(sampler)]
    struct Unsaid {}

    impl Sampler for Unsaid {
        fn order(&self, data: &Population<'_>, _: &Pass) -> Result<Order> {
            Ok(Order::Range(data.len))
        }
    }
}
