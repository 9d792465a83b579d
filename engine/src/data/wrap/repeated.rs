//! A dataset several times.

use super::told::Told;
use crate::base::error::{Error, Result};
use crate::data::dataset::{BatchOf, Dataset, Samples};
use crate::random::SampleRng;
use engine_macros::component;

/// Every sample of another dataset several times in a pass: a longer epoch for a small dataset, with fewer validations.
///
/// A sample is augmented in another way each time, because the generator belongs to the position and not to the sample.
#[derive(Debug)]
pub struct Repeated<D> {
    dataset: D,
    times: usize,
    told: Told,
}

/// Every sample of another dataset several times in a pass: `(dataset: (…), times: 10)`.
#[component(dataset)]
pub struct RepeatedConfig<C> {
    /// The settings of the dataset.
    pub dataset: C,
    /// How often each sample occurs in a pass.
    #[config(range = 1..=1_000_000, example = 10)]
    pub times: usize,
}

impl<D: Dataset> Repeated<D> {
    /// The samples of the dataset, so many times one after the other.
    ///
    /// # Errors
    /// When `times` is 0, or there would be more samples than can be counted.
    pub fn new(dataset: D, times: usize) -> Result<Self> {
        let len = dataset.len();
        let all = len.checked_mul(times).filter(|_| times > 0).ok_or_else(|| {
            Error::msg(format!("{len} samples can't be repeated {times} times; give `times` a smaller number above 0"))
        })?;
        let told = Told::of(&dataset, (0..all).map(|index| index % len));
        Ok(Repeated { dataset, times, told })
    }

    /// The dataset that is repeated.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset + Send + Sync> Dataset for Repeated<D> {
    type Config = RepeatedConfig<D::Config>;
    type Item = D::Item;

    fn open(config: &Self::Config) -> Result<Self> {
        Repeated::new(D::open(&config.dataset)?, config.times)
    }

    fn len(&self) -> usize {
        self.dataset.len() * self.times
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<D::Item> {
        self.dataset.get(index % self.dataset.len(), rng)
    }

    fn weights(&self) -> Option<&[f64]> {
        self.told.weights.as_deref()
    }

    fn classes(&self) -> Option<&[i64]> {
        self.told.classes.as_deref()
    }

    fn lengths(&self) -> Option<&[usize]> {
        self.told.lengths.as_deref()
    }

    fn batch(&self, samples: &Samples) -> Result<BatchOf<D>> {
        let len = self.dataset.len();
        self.dataset.batch(&samples.with_indices(|index| index % len))
    }
}
