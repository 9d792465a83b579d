//! Rare classes more often.

use super::told::Told;
use crate::base::error::{Error, Result};
use crate::data::dataset::{BatchOf, Dataset, Samples};
use crate::random::SampleRng;
use engine_macros::component;
use std::collections::BTreeMap;

/// The samples of rare classes several times in a pass, those of frequent ones once.
///
/// A sample whose class has the share f of the samples occurs ⌈max(1, √(threshold / f))⌉ times: repeat factor sampling of
/// A. Gupta et al., "LVIS: A Dataset for Large Vocabulary Instance Segmentation", 2019, rounded up as in MMDetection's
/// `ClassBalancedDataset`. The sampler [`ClassBalanced`](crate::data::ClassBalanced) goes further: every class equally
/// often.
#[derive(Debug)]
pub struct Oversampled<D> {
    dataset: D,
    indices: Vec<usize>,
    told: Told,
}

/// The samples of rare classes several times in a pass: `(dataset: (…), threshold: 0.1)`.
#[component(dataset)]
pub struct OversampledConfig<C> {
    /// The settings of the dataset, which tells its classes.
    pub dataset: C,
    /// The share of all samples below which a class is rare.
    #[config(range = 0.0..=1.0, example = 0.1)]
    pub threshold: f64,
}

impl<D: Dataset> Oversampled<D> {
    /// Classes with less than this share of the samples occur more often.
    ///
    /// # Errors
    /// When the dataset tells no classes, or not one for each sample.
    pub fn new(dataset: D, threshold: f64) -> Result<Self> {
        let classes = dataset.classes().ok_or_else(|| {
            Error::msg(
                "`Oversampled` needs the class of each sample, and the dataset has none; implement `Dataset::classes`",
            )
        })?;
        if classes.len() != dataset.len() {
            return Err(Error::msg(format!(
                "the dataset has {} classes for {} samples; `Dataset::classes` gives one for each",
                classes.len(),
                dataset.len()
            )));
        }
        if !(0.0..=1.0).contains(&threshold) {
            return Err(Error::msg(format!("`threshold` must be from 0 to 1, got {threshold}")));
        }
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for class in classes {
            *counts.entry(*class).or_default() += 1;
        }
        let times = |class: &i64| {
            let share = counts[class] as f64 / classes.len() as f64;
            (threshold / share).sqrt().max(1.0).ceil() as usize
        };
        let each = classes.iter().enumerate();
        let indices: Vec<usize> = each.flat_map(|(index, class)| std::iter::repeat_n(index, times(class))).collect();
        let told = Told::of(&dataset, indices.iter().copied());
        Ok(Oversampled { dataset, indices, told })
    }

    /// The dataset itself.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// The index in the dataset of each sample.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset + Send + Sync> Dataset for Oversampled<D> {
    type Config = OversampledConfig<D::Config>;
    type Item = D::Item;

    fn open(config: &Self::Config) -> Result<Self> {
        Oversampled::new(D::open(&config.dataset)?, config.threshold)
    }

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<D::Item> {
        self.dataset.get(self.indices[index], rng)
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
        self.dataset.batch(&samples.with_indices(|index| self.indices[index]))
    }
}
