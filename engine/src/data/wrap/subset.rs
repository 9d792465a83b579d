//! Some samples of a dataset.

use super::told::Told;
use crate::base::error::{Error, Result};
use crate::data::dataset::{BatchOf, Dataset, Samples};
use crate::random::{SampleRng, Stream, permutation};
use engine_macros::component;

/// Some samples of another dataset.
///
/// A share drawn by `seed`, the first ones, or those of a list; with `rest` all others instead. So two loaders with the same
/// numbers, one of them with `rest: true`, split one dataset into two parts without a common sample.
///
/// ```
/// use engine::data::{Subset, SubsetConfig};
/// use engine::prelude::*;
/// # #[component(dataset)]
/// # pub struct NumbersConfig { len: usize }
/// # pub struct Numbers(usize);
/// # impl Dataset for Numbers {
/// #     type Config = NumbersConfig;
/// #     type Item = i64;
/// #     fn open(config: &NumbersConfig) -> Result<Self> { Ok(Numbers(config.len)) }
/// #     fn len(&self) -> usize { self.0 }
/// #     fn get(&self, index: usize, _: &mut SampleRng) -> Result<i64> { Ok(index as i64) }
/// # }
///
/// // `Loader<Subset<Numbers>>` reads the same from a file
/// let read = |text: &str| engine::config::parse_text("example", text)?.read::<SubsetConfig<NumbersConfig>>();
/// let val = Subset::<Numbers>::open(&read("(dataset: (len: 100), fraction: 0.2, seed: 7)")?)?;
/// let train = Subset::<Numbers>::open(&read("(dataset: (len: 100), fraction: 0.2, seed: 7, rest: true)")?)?;
/// assert_eq!((val.len(), train.len()), (20, 80));
/// assert!(val.indices().iter().all(|index| !train.indices().contains(index)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Vec<usize>,
    told: Told,
}

/// Some samples of another dataset: `(dataset: (…), fraction: 0.1)`. Exactly one of `fraction`, `first` and `indices` is
/// given.
#[component(dataset)]
pub struct SubsetConfig<C> {
    /// The settings of the dataset.
    pub dataset: C,
    /// The share of its samples, drawn by `seed` and rounded to the nearest number. With one seed a larger share contains
    /// the samples of a smaller one.
    #[config(default, range = 0.0..=1.0)]
    pub fraction: Option<f64>,
    /// What `fraction` is drawn by. The seed of the run does not matter.
    #[config(default = 0)]
    pub seed: u64,
    /// The number of samples from the beginning; all, when the dataset has fewer.
    #[config(default)]
    pub first: Option<usize>,
    /// The indices of the samples, in this order.
    #[config(default)]
    pub indices: Option<Vec<usize>>,
    /// The samples that are not chosen instead, in the order of the dataset.
    #[config(default = false)]
    pub rest: bool,
}

impl<D: Dataset> Subset<D> {
    /// The samples with these indices, in this order.
    ///
    /// # Errors
    /// When an index is not within the dataset.
    pub fn new(dataset: D, indices: Vec<usize>) -> Result<Self> {
        let len = dataset.len();
        if let Some(outside) = indices.iter().find(|index| **index >= len) {
            let text = format!("`indices` of a subset contains {outside}, and the dataset has {len} samples");
            return Err(Error::msg(text));
        }
        let told = Told::of(&dataset, indices.iter().copied());
        Ok(Subset { dataset, indices, told })
    }

    /// The whole dataset.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// The indices of the samples in the whole dataset.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset + Send + Sync> Dataset for Subset<D> {
    type Config = SubsetConfig<D::Config>;
    type Item = D::Item;

    fn open(config: &Self::Config) -> Result<Self> {
        let chosen = Chosen::of(config)?;
        let dataset = D::open(&config.dataset)?;
        let indices = chosen.indices(dataset.len())?;
        let indices = if config.rest { others(&indices, dataset.len())? } else { indices };
        Subset::new(dataset, indices)
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

/// Which samples the settings ask for.
enum Chosen<'a> {
    Fraction(f64, u64),
    First(usize),
    Indices(&'a [usize]),
}

impl<'a> Chosen<'a> {
    /// # Errors
    /// When the settings ask for none, or for several.
    fn of<C>(config: &'a SubsetConfig<C>) -> Result<Self> {
        match (config.fraction, config.first, &config.indices) {
            (Some(fraction), None, None) => Ok(Chosen::Fraction(fraction, config.seed)),
            (None, Some(first), None) => Ok(Chosen::First(first)),
            (None, None, Some(indices)) => Ok(Chosen::Indices(indices)),
            _ => Err(Error::msg("a subset needs exactly one of `fraction`, `first` and `indices`")),
        }
    }

    /// # Errors
    /// When an index is not within the dataset.
    fn indices(&self, len: usize) -> Result<Vec<usize>> {
        match *self {
            Chosen::Fraction(fraction, seed) => {
                let count = (fraction * len as f64).round() as usize;
                let mut drawn = permutation(len, &mut Stream::new(seed, "subset", 0, 0));
                drawn.truncate(count);
                drawn.sort_unstable();
                Ok(drawn)
            }
            Chosen::First(first) => Ok((0..first.min(len)).collect()),
            Chosen::Indices(indices) => Ok(indices.to_vec()),
        }
    }
}

/// The indices of a dataset that are not among these.
fn others(indices: &[usize], len: usize) -> Result<Vec<usize>> {
    let mut chosen = vec![false; len];
    for index in indices {
        *chosen.get_mut(*index).ok_or_else(|| {
            Error::msg(format!("`indices` of a subset contains {index}, and the dataset has {len} samples"))
        })? = true;
    }
    Ok((0..len).filter(|index| !chosen[*index]).collect())
}
