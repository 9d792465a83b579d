//! Batches, the input of steps: tensors with a number of samples.
//!
//! A batch shows its parts to a visitor, one after the other. The engine needs only this to move a batch to a device,
//! to copy it into another batch, and to select some of its samples.

mod field;
mod part;
mod types;

pub use field::{SharedField, StatedWeight, WholeField};
pub use part::{BatchError, EachPart, Part, Rows, Whole};

use crate::base::error::Result;
use std::ops::Range;
use tch::{Device, Tensor};

/// The samples of one step, collated.
///
/// Tensors, lists and tuples of them are batches already. A struct of them becomes one by `#[derive(Batch)]`:
///
/// ```
/// use engine::prelude::*;
///
/// #[derive(Batch)]
/// struct Scenes {
///     images: Tensor,        // [n, 3, h, w]
///     boxes: Vec<Tensor>,    // n times [objects, 4]
///     #[batch(shared)]
///     anchors: Tensor,       // [a, 4], for all samples
/// }
///
/// let floats = (Kind::Float, Device::Cpu);
/// let boxes = vec![Tensor::zeros([2, 4], floats), Tensor::zeros([0, 4], floats)];
/// let scenes = Scenes { images: Tensor::zeros([2, 3, 8, 8], floats), boxes, anchors: Tensor::zeros([9, 4], floats) };
/// assert_eq!((scenes.size(), scenes.weight()), (2, 2.0));
/// let first = scenes.samples(0..1)?;
/// assert_eq!((first.images.size(), first.boxes.len(), first.anchors.size()), (vec![1, 3, 8, 8], 1, vec![9, 4]));
/// # Ok::<(), Error>(())
/// ```
///
/// For other operations on all tensors of a batch, use [`Batch::each_tensor`]:
///
/// ```
/// # use engine::prelude::*;
/// let mut batch = (Tensor::from_slice(&[0.1f32, 0.2]), Tensor::from_slice(&[3i64, 4]));
/// batch.each_tensor(&mut |tensor| {
///     if tensor.kind() == Kind::Float {
///         *tensor = tensor.f_to_kind(Kind::BFloat16)?;
///     }
///     Ok(())
/// })?;
/// assert_eq!((batch.0.kind(), batch.1.kind()), (Kind::BFloat16, Kind::Int64));
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a batch or a part of one",
    label = "this type does not implement `Batch`",
    note = "a `Tensor`, a `Vec` of tensors, texts or numbers, an `Option` and tuples of up to eight of them can",
    note = "a struct of them can by `#[derive(Batch)]`; in it, `#[batch(whole)]` marks a field of another type that can be cloned"
)]
pub trait Batch: Send + Sized + 'static {
    /// Whether batches of this type state their weight. Where they do not, ranks know the weights of each other's batches by
    /// the samples that each of them reads.
    const STATES_WEIGHT: bool = false;

    /// Shows every part to `each`, always in the same order. A struct shows its fields: `self.images.visit(each)?`.
    ///
    /// # Errors
    /// The first error of `each`.
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()>;

    /// A copy of the batch whose tensors share memory with this one; values on the host are cloned.
    #[must_use]
    fn shallow_clone(&self) -> Self;

    /// The number of samples.
    fn size(&self) -> usize;

    /// How much the batch counts in means over several batches: in rows, in the gradient of an iter with `accumulate`,
    /// in validation. A finite number of at least 0; by default the number of samples. When the loss is a mean over
    /// tokens, return the number of tokens.
    fn weight(&self) -> f64 {
        self.stated_weight().unwrap_or_else(|| self.size() as f64)
    }

    /// The weight, if the batch has a field for it; `#[batch(weight)]` implements this method. With it
    /// [`Batch::STATES_WEIGHT`] is true.
    fn stated_weight(&self) -> Option<f64> {
        None
    }

    /// Calls `each` with every tensor, those in lists and the shared ones too.
    ///
    /// # Errors
    /// The first error of `each`.
    fn each_tensor(&mut self, each: &mut dyn FnMut(&mut Tensor) -> Result<()>) -> Result<()> {
        self.visit(&mut |part| part.tensors(each))
    }

    /// The batch with its tensors on the device; tensors that are already there are not copied. A copy from the host
    /// does not wait for the device: it is queued after the earlier work of the device. The memory on the host may be
    /// dropped at once: CUDA copies pageable memory before it returns, and libtorch keeps pinned memory until it was
    /// read.
    ///
    /// # Errors
    /// When the device is out of memory or does not exist.
    fn onto(mut self, device: Device) -> Result<Self> {
        self.each_tensor(&mut |tensor| {
            if tensor.device() != device {
                let from_host = tensor.device() == Device::Cpu;
                *tensor = tensor.f_to_device_(device, tensor.kind(), from_host, false)?;
            }
            Ok(())
        })?;
        Ok(self)
    }

    /// Copies the values of another batch into the existing tensors of this one, whose memory does not move; a
    /// captured graph needs this. Values on the host are cloned.
    ///
    /// # Errors
    /// [`BatchError`] when the two batches have different parts or shapes; then some parts may already be copied.
    fn copy_from(&mut self, source: &mut Self) -> Result<()> {
        let mut parts = Vec::new();
        source.visit(&mut |part| {
            parts.push(part);
            Ok(())
        })?;
        let (mut sources, mut place) = (parts.into_iter(), 0);
        self.visit(&mut |part| {
            let source = sources.next().ok_or(BatchError::Other { part: place })?;
            place += 1;
            part.copy_from(source, place - 1)
        })?;
        match sources.next() {
            Some(_) => Err(BatchError::Other { part: place }.into()),
            None => Ok(()),
        }
    }

    /// A batch of the samples in this range; it shares memory with this batch.
    ///
    /// # Errors
    /// [`BatchError`] when the range goes past the end of the batch, or a part does not have one row for each sample.
    fn samples(&self, range: Range<usize>) -> Result<Self> {
        let size = self.size();
        if range.start > range.end || range.end > size {
            return Err(BatchError::Range { start: range.start, end: range.end, size }.into());
        }
        let (mut taken, mut place) = (self.shallow_clone(), 0);
        taken.visit(&mut |part| {
            place += 1;
            part.keep(range.clone(), size, place - 1)
        })?;
        Ok(taken)
    }

    /// Splits the batch, in order, into batches of at most `most` samples (0 means 1), which share memory with this
    /// one.
    ///
    /// # Errors
    /// As [`Batch::samples`].
    fn split(&self, most: usize) -> Result<Vec<Self>> {
        let (size, most) = (self.size(), most.max(1));
        (0..size).step_by(most).map(|first| self.samples(first..size.min(first.saturating_add(most)))).collect()
    }
}

/// The weight of a batch of this size, which has to be one.
///
/// # Errors
/// [`BatchError::Weight`] when it is negative or no finite number.
pub(crate) fn checked_weight<B: Batch>(batch: &B, size: usize) -> Result<f64> {
    let weight = batch.stated_weight().unwrap_or(size as f64);
    match weight.is_finite() && weight >= 0.0 {
        true => Ok(weight),
        false => Err(BatchError::Weight { weight }.into()),
    }
}
