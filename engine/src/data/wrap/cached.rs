//! Samples that are read once.

use crate::base::error::{Error, Result};
use crate::data::collate::Collate;
use crate::data::dataset::{Dataset, SampleOf};
use crate::data::padding::Sequence;
use crate::random::{SampleRng, Stream};
use engine_macros::component;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use tch::Tensor;

/// A sample that can be handed out again and again.
#[diagnostic::on_unimplemented(
    message = "samples of type `{Self}` can't be kept by `Cached`",
    label = "this type does not implement `Kept`",
    note = "a `Tensor`, numbers, `bool`, `String`, a `Vec` of numbers, a `Sequence` and tuples of up to four of them can; implement `engine::data::Kept` for a type of your own"
)]
pub trait Kept: Send {
    /// The same sample again. A tensor shares its memory with the kept one, so that nobody may change it in place.
    #[must_use]
    fn again(&self) -> Self;
}

/// The samples of another dataset, each read once and then kept in memory.
///
/// The dataset's `get` receives the same generator for a sample in every pass, so that what is kept does not depend on when
/// it was read. A dataset that augments would always give the same picture: augment what comes out of `Cached`, in a
/// dataset around it or on the device.
pub struct Cached<D: Dataset> {
    dataset: D,
    kept: Vec<Mutex<Option<D::Item>>>,
}

/// The samples of another dataset, kept in memory: `(dataset: (…))`.
#[component(dataset)]
pub struct CachedConfig<C> {
    /// The settings of the dataset.
    pub dataset: C,
    /// Only the samples with an index below this are kept; the others are read in every pass. All are kept without it.
    #[config(default)]
    pub samples: Option<usize>,
}

impl<D: Dataset> Cached<D> {
    /// Keeps this many samples of the dataset, from the first on; all without a number.
    ///
    /// # Errors
    /// When there is not enough memory for the places of the samples.
    pub fn new(dataset: D, samples: Option<usize>) -> Result<Self> {
        let places = samples.unwrap_or(usize::MAX).min(dataset.len());
        let mut kept = Vec::new();
        kept.try_reserve_exact(places).map_err(|_| {
            Error::msg(format!("there is not enough memory to keep {places} samples; give `samples` a smaller number"))
        })?;
        kept.resize_with(places, || Mutex::new(None));
        Ok(Cached { dataset, kept })
    }

    /// The dataset itself.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset + Send + Sync> Dataset for Cached<D>
where
    D::Item: Kept + SampleOf<Cached<D>>,
{
    type Config = CachedConfig<D::Config>;
    type Item = D::Item;

    fn open(config: &Self::Config) -> Result<Self> {
        Cached::new(D::open(&config.dataset)?, config.samples)
    }

    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<D::Item> {
        let read = || self.dataset.get(index, &mut SampleRng::new(Stream::new(0, "cached", index as u64, 0)));
        let Some(place) = self.kept.get(index) else { return read() };
        // held while reading: a second worker that wants the same sample waits for it and does not read it again.
        // A panic leaves the place empty, and nothing half done
        let mut kept = place.lock().unwrap_or_else(PoisonError::into_inner);
        let item = match kept.take() {
            Some(item) => item,
            None => read()?,
        };
        Ok(kept.insert(item).again())
    }

    fn weights(&self) -> Option<&[f64]> {
        self.dataset.weights()
    }

    fn classes(&self) -> Option<&[i64]> {
        self.dataset.classes()
    }

    fn lengths(&self) -> Option<&[usize]> {
        self.dataset.lengths()
    }
}

impl<D: Dataset + fmt::Debug> fmt::Debug for Cached<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("dataset", &self.dataset).field("places", &self.kept.len()).finish()
    }
}

#[diagnostic::do_not_recommend]
impl Kept for Tensor {
    fn again(&self) -> Self {
        self.shallow_clone()
    }
}

#[diagnostic::do_not_recommend]
impl Kept for Sequence {
    fn again(&self) -> Self {
        self.shared()
    }
}

macro_rules! kept_clones {
    ($($type:ty)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Kept for $type {
            fn again(&self) -> Self {
                self.clone()
            }
        }
    )* };
}
kept_clones!(i64 f32 f64 bool String Vec<i64> Vec<f32> Vec<f64> Vec<bool>);

macro_rules! kept_tuple {
    ($($part:ident $at:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($part: Kept + Collate),+> Kept for ($($part,)+) {
            fn again(&self) -> Self {
                ($(self.$at.again(),)+)
            }
        }
    };
}
kept_tuple!(A 0);
kept_tuple!(A 0, B 1);
kept_tuple!(A 0, B 1, C 2);
kept_tuple!(A 0, B 1, C 2, D 3);
