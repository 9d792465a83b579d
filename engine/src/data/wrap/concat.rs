//! Several datasets as one.

use super::told::Told;
use crate::base::checked::ConfigValue;
use crate::base::error::{Error, ErrorContext as _, Result};
use crate::data::dataset::Dataset;
use crate::random::SampleRng;
use engine_macros::component;

/// The samples of several datasets of one type, one after the other.
///
/// With `weights`, the sampler `Weighted` draws from each dataset in proportion to its weight, whatever number of samples
/// it has; within a dataset the samples keep the proportions of their own weights. A batch contains samples of several
/// datasets, so they are read one by one: a `batch` of the datasets themselves is not used.
#[derive(Debug)]
pub struct Concat<D> {
    datasets: Vec<D>,
    /// Behind the last sample of each dataset.
    ends: Vec<usize>,
    told: Told,
}

/// Several datasets, one after the other: `(datasets: [(…), (…)], weights: [3.0, 1.0])`.
#[component(dataset)]
pub struct ConcatConfig<C> {
    /// The settings of each dataset.
    pub datasets: Vec<C>,
    /// How often the sampler `Weighted` draws from each of them, in proportion. Without it a dataset counts by its samples.
    #[config(default)]
    pub weights: Option<Vec<f64>>,
}

impl<D: Dataset> Concat<D> {
    /// These datasets; with weights, one for each of them.
    ///
    /// # Errors
    /// When there are not as many weights as datasets, one is below 0 or not finite, or there are more samples than can be
    /// counted.
    pub fn new(datasets: Vec<D>, weights: Option<&[f64]>) -> Result<Self> {
        let mut ends = Vec::new();
        let mut end = 0usize;
        for dataset in &datasets {
            end = end.checked_add(dataset.len()).ok_or_else(|| Error::msg("the datasets have too many samples"))?;
            ends.push(end);
        }
        let mut told = Told::joined(datasets.iter().map(|dataset| Told::of(dataset, 0..dataset.len())).collect());
        if let Some(weights) = weights {
            told.weights = Some(weights_of_samples(&datasets, weights)?);
        }
        Ok(Concat { datasets, ends, told })
    }

    /// The datasets.
    pub fn datasets(&self) -> &[D] {
        &self.datasets
    }

    /// The dataset of a sample, and its index there.
    fn find(&self, index: usize) -> (usize, usize) {
        let place = self.ends.partition_point(|end| *end <= index);
        (place, index - place.checked_sub(1).map_or(0, |before| self.ends[before]))
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset + Send + Sync> Dataset for Concat<D>
where
    // of a list the parts have to be known one by one
    ConcatConfig<D::Config>: ConfigValue,
{
    type Config = ConcatConfig<D::Config>;
    type Item = D::Item;

    fn open(config: &Self::Config) -> Result<Self> {
        let each = config.datasets.iter().enumerate();
        let opened = each.map(|(place, config)| D::open(config).with_context(|| format!("`datasets[{place}]`")));
        Concat::new(opened.collect::<Result<_>>()?, config.weights.as_deref())
    }

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<D::Item> {
        let (place, index) = self.find(index);
        self.datasets[place].get(index, rng).with_context(|| format!("sample {index} of `datasets[{place}]`"))
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
}

/// The weight of each sample, so that those of a dataset add up to its own weight.
fn weights_of_samples<D: Dataset>(datasets: &[D], weights: &[f64]) -> Result<Vec<f64>> {
    if weights.len() != datasets.len() {
        let text = format!("`weights` has {} numbers for {} `datasets`", weights.len(), datasets.len());
        return Err(Error::msg(text));
    }
    let mut all = Vec::new();
    for (place, (dataset, weight)) in datasets.iter().zip(weights).enumerate() {
        if !(weight.is_finite() && *weight >= 0.0) {
            let text = format!("`weights[{place}]` is {weight}, expected a finite number of at least 0");
            return Err(Error::msg(text));
        }
        match dataset.weights() {
            Some(own) => {
                let sum: f64 = own.iter().sum();
                if !(sum > 0.0 && sum.is_finite()) {
                    let text = format!("the weights of `datasets[{place}]` add up to {sum}, expected a number above 0");
                    return Err(Error::msg(text));
                }
                all.extend(own.iter().map(|own| weight * own / sum));
            }
            None => all.extend(std::iter::repeat_n(weight / dataset.len() as f64, dataset.len())),
        }
    }
    Ok(all)
}
