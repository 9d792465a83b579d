//! The trait that a user implements to provide data.

use crate::base::checked::ConfigValue;
use crate::base::error::Result;
use crate::data::collate::Collate;
use crate::data::cursor::Cursor;
use crate::data::error::{DataError, caught};
use crate::random::{SampleRng, Stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};

/// Samples that can be read in any order and from several threads at once.
///
/// A `Tensor` may not be read from several threads; store it as a [`SharedTensor`](crate::data::SharedTensor).
///
/// ```
/// use engine::base::Result;
/// use engine::data::{Dataset, SharedTensor};
/// use engine::random::SampleRng;
/// use serde::{Deserialize, Serialize};
/// use tch::{IndexOp, Kind, Tensor};
///
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// struct NoiseConfig { samples: i64 }
///
/// struct Noise { images: SharedTensor }
///
/// impl Dataset for Noise {
///     type Config = NoiseConfig;
///     type Item = (Tensor, i64);            // an image [8, 8] and its class
///
///     fn open(config: &NoiseConfig) -> Result<Self> {
///         Ok(Noise { images: SharedTensor::new(Tensor::f_zeros([config.samples, 8, 8], (Kind::Float, tch::Device::Cpu))?) })
///     }
///     fn len(&self) -> usize {
///         self.images.get().size()[0] as usize
///     }
///     fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Tensor, i64)> {
///         let image = self.images.get().f_get(index as i64)?;
///         let image = if rng.bool(0.5) { image.f_flip([1])? } else { image };
///         Ok((image, (index % 10) as i64))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dataset",
    label = "this type does not implement `Dataset`",
    note = "implement `engine::data::Dataset` for `{Self}`: `open` reads its settings, `len` counts its samples, `get` reads one"
)]
pub trait Dataset: Sized + 'static {
    /// The type of the settings in the experiment file.
    type Config: ConfigValue + Send + Sync + 'static;

    /// One sample: a tensor, a number, a text, or a tuple of them.
    type Item: Collate + SampleOf<Self>;

    /// Opens the data. Called once, before any worker is started.
    ///
    /// # Errors
    /// When the data can't be read; the loader's name is added to the error.
    fn open(config: &Self::Config) -> Result<Self>
    where
        Self: Sized;

    /// The number of samples. It must not change during a run.
    fn len(&self) -> usize;

    /// True when there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads one sample; `index` is below [`Dataset::len`].
    ///
    /// Use only `rng` for random numbers; it is different for each sample and pass. With a generator of libtorch or of
    /// the thread, the data would depend on the number of workers.
    ///
    /// # Errors
    /// When the sample can't be read; the loader adds its name, the index and the pass.
    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<Self::Item>;

    /// One weight for each sample: [`Weighted`](crate::data::Weighted) draws samples in proportion to them.
    fn weights(&self) -> Option<&[f64]> {
        None
    }

    /// The class of each sample, any numbers: [`ClassBalanced`](crate::data::ClassBalanced) draws every class equally often.
    fn classes(&self) -> Option<&[i64]> {
        None
    }

    /// The length of each sample, for example in tokens: [`ByLength`](crate::data::ByLength) puts samples of similar length
    /// into one batch.
    fn lengths(&self) -> Option<&[usize]> {
        None
    }

    /// Makes one batch. Override it when reading several samples together is faster, or when samples must be cut or
    /// padded to fit each other.
    ///
    /// # Errors
    /// When a sample can't be read, or the samples don't fit together.
    fn batch(&self, samples: &Samples) -> Result<<Self::Item as Collate>::Batch> {
        Self::Item::collate(samples.map(|index, rng| self.get(index, rng))?)
    }
}

/// The samples of a dataset that several threads can read at once: of every type that is `Send` and `Sync`, and no other.
///
/// A [`Dataset`] asks for this of its `Item`, and not of itself. What is asked of the type itself, the compiler asks again at
/// each `Self::Item` in the methods; and of `Send` and `Sync` it tells that some pointer within a tensor can't be
/// shared, and not what to do about it.
#[diagnostic::on_unimplemented(
    message = "`{D}` can't be read by the workers of a loader at once",
    label = "`{D}` holds what threads can't share",
    note = "in `{D}` itself hold a `Tensor` as a `SharedTensor`: `SharedTensor::new(tensor)`, and `.get()` where it is used; what `get` returns may be tensors. Hold what is behind an `Rc` or `RefCell` in an `Arc` or `Mutex`"
)]
pub trait SampleOf<D> {
    /// Starts a thread that works with the dataset.
    ///
    /// # Errors
    /// When the system gives no thread.
    fn on_thread(
        shared: Arc<D>,
        thread: Builder,
        work: impl FnOnce(&D) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>>;
}

#[diagnostic::do_not_recommend]
impl<T, D: Send + Sync + 'static> SampleOf<D> for T {
    fn on_thread(
        shared: Arc<D>,
        thread: Builder,
        work: impl FnOnce(&D) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        thread.spawn(move || work(&shared))
    }
}

/// The type of the batches of a loader of this dataset.
pub type BatchOf<D> = <<D as Dataset>::Item as Collate>::Batch;

/// The samples of one batch: their indices, and the generator of each.
#[derive(Clone, Debug)]
pub struct Samples {
    pub(super) loader: Arc<str>,
    pub(super) seed: u64,
    /// The position of the first one in the common order.
    pub(super) at: Cursor,
    pub(super) batch_size: u64,
    /// Samples in one pass.
    pub(super) per_pass: u64,
    pub(super) indices: Vec<usize>,
    pub(super) reading: Reading,
}

/// Which sample of a batch is being read, for who waits for the batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading(Arc<AtomicUsize>);

impl Reading {
    /// The place of the sample in its batch; `None` when none is being read one by one.
    pub(super) fn place(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(1)
    }

    fn set(&self, place: Option<usize>) {
        self.0.store(place.map_or(0, |place| place + 1), Ordering::Relaxed);
    }
}

impl Samples {
    /// The first batch of pass 0 with these samples, for testing a dataset without a loader.
    pub fn new(seed: u64, indices: Vec<usize>) -> Self {
        let batch_size = indices.len().max(1) as u64;
        Samples {
            loader: "samples".into(),
            seed,
            at: Cursor::default(),
            batch_size,
            per_pass: u64::MAX,
            indices,
            reading: Reading::default(),
        }
    }

    /// The indices in the dataset, in the order of the batch. An index may occur twice.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The same places with other indices, for a dataset that hands its batches on to another one: generators belong to
    /// the places, so the samples are augmented as they would be here.
    #[must_use]
    pub fn with_indices(&self, index: impl Fn(usize) -> usize) -> Samples {
        Samples { indices: self.indices.iter().map(|from| index(*from)).collect(), ..self.clone() }
    }

    /// Where the batch begins in the loader's common order. Only with an endless sampler can a batch continue into the
    /// next pass.
    pub fn begin(&self) -> Cursor {
        self.at
    }

    /// The generator of the sample at this index in the batch.
    ///
    /// It depends on the position in the common order, not on the index in the dataset: a sample that is drawn twice
    /// is augmented in two different ways.
    pub fn rng(&self, place: usize) -> SampleRng {
        let Cursor { pass, sample } = self.position(place as u64);
        SampleRng::new(Stream::new(self.seed, "sample", pass, sample))
    }

    /// A generator for each sample of the batch, in order, for a purpose of its own: other numbers than those of
    /// [`Samples::rng`], and of other purposes.
    pub fn rngs(&self, purpose: &str) -> Vec<SampleRng> {
        let places = (0..self.indices.len() as u64).map(|place| self.position(place));
        places.map(|Cursor { pass, sample }| SampleRng::new(Stream::new(self.seed, purpose, pass, sample))).collect()
    }

    /// Where the sample at this place of the batch stands in the common order.
    pub(super) fn position(&self, place: u64) -> Cursor {
        let sample = self.at.sample.saturating_add(place);
        let passes = sample / self.per_pass;
        Cursor { pass: self.at.pass.saturating_add(passes), sample: sample % self.per_pass }
    }

    /// A generator for random choices about the whole batch (a common size, mixing its samples).
    pub fn batch_rng(&self) -> SampleRng {
        // no two batches of a pass share this number, wherever the pass was begun: they begin `batch_size` apart
        SampleRng::new(Stream::new(self.seed, "batch", self.at.pass, self.at.sample / self.batch_size))
    }

    /// Reads each sample, in order.
    ///
    /// # Errors
    /// The first error or panic of `read`, with the sample's index.
    pub fn map<T>(&self, mut read: impl FnMut(usize, &mut SampleRng) -> Result<T>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let reserved = items.try_reserve_exact(self.indices.len());
        reserved.map_err(|_| DataError::Memory { loader: self.name(), batch_size: self.indices.len() })?;
        for (place, &index) in self.indices.iter().enumerate() {
            let mut rng = self.rng(place);
            self.reading.set(Some(place));
            let pass = || self.position(place as u64).pass;
            let why = match caught(|| read(index, &mut rng)) {
                Ok(Ok(item)) => {
                    items.push(item);
                    continue;
                }
                Ok(Err(why)) => DataError::Sample { loader: self.name(), pass: pass(), index, why },
                Err(panic) => DataError::SamplePanic { loader: self.name(), pass: pass(), index, panic },
            };
            return Err(why.into());
        }
        self.reading.set(None);
        Ok(items)
    }

    /// The sample that is being read, or those of the batch: "sample 17 in pass 0".
    pub(super) fn told(&self) -> String {
        match self.reading.place().and_then(|place| Some((place, self.indices.get(place)?))) {
            Some((place, index)) => format!("sample {index} in pass {}", self.position(place as u64).pass),
            None => {
                let first: Vec<String> = self.indices.iter().take(8).map(usize::to_string).collect();
                let more = if self.indices.len() > first.len() { ", …" } else { "" };
                format!("the batch of samples {}{more} in pass {}", first.join(", "), self.at.pass)
            }
        }
    }

    pub(super) fn name(&self) -> String {
        self.loader.as_ref().to_owned()
    }
}
