//! What the order of a loader's samples depends on.

use crate::base::error::Result;
use crate::base::state::{Saved, StateError, StateMap, StateValue};

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
    /// A hash of the dataset's weights, if the sampler uses them.
    pub weights: Option<String>,
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
            changed("the sampler", &format!("`{}`", self.sampler), &format!("`{}`", saved.sampler)),
            number("the number of samples", self.population, saved.population),
            number("the number of samples in a pass", self.samples, saved.samples)
                .filter(|_| self.population == saved.population && self.sampler == saved.sampler),
            // as many weights as samples: other ones are news only where their number is the same
            (self.weights != saved.weights && self.population == saved.population && self.sampler == saved.sampler)
                .then(|| "the dataset has other weights".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
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
        map.put("weights", &self.weights);
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
            weights: map.take("weights")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Loader, LoaderConfig, SamplerConfig, Shuffled, Weighted};
    use crate::random::SampleRng;
    use serde::{Deserialize, Serialize};

    /// Numbers, with these weights.
    struct Weighed(Vec<f64>);

    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct WeighedConfig {
        weights: Vec<f64>,
    }

    impl Dataset for Weighed {
        type Config = WeighedConfig;
        type Item = f64;
        fn open(config: &WeighedConfig) -> Result<Self> {
            Ok(Weighed(config.weights.clone()))
        }
        fn len(&self) -> usize {
            self.0.len()
        }
        fn get(&self, index: usize, _: &mut SampleRng) -> Result<f64> {
            Ok(index as f64)
        }
        fn weights(&self) -> Option<&[f64]> {
            Some(&self.0)
        }
    }

    fn order(sampler: impl SamplerConfig + 'static, weights: &[f64]) -> CommonOrder {
        let mut config = LoaderConfig::new(WeighedConfig { weights: weights.to_vec() }, 1);
        config.sampler = Some(Box::new(sampler));
        Loader::<Weighed>::open("train", &config, 7).unwrap().common_order().unwrap()
    }

    #[test]
    fn other_weights_are_another_order_where_the_sampler_draws_by_them() {
        let (one, other) = ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]);
        let drawn = |weights: &[f64]| order(Weighted::default(), weights);
        assert_eq!(drawn(&one).changes_since(&drawn(&one)), Vec::<String>::new());
        assert_eq!(drawn(&other).changes_since(&drawn(&one)), ["the dataset has other weights"]);
        let shuffled = |weights: &[f64]| order(Shuffled::default(), weights);
        assert_eq!(shuffled(&other), shuffled(&one));
        // it comes back from a checkpoint as it was
        assert_eq!(CommonOrder::restore(drawn(&one).save()).unwrap(), drawn(&one));
    }
}
