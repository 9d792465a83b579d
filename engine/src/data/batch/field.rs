//! The types that fields of a struct under `#[derive(Batch)]` can have, besides batches.

use crate::base::error::Result;
use crate::data::batch::part::{EachPart, Part};
use tch::Tensor;

/// A type for the weight of a batch, under `#[batch(weight)]`: a number, or one number for each sample; then the
/// weight is their sum.
///
/// A single number belongs to the whole batch, so that a part of the batch has the same number. A list with one number
/// for each sample is split together with the samples.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't state the weight of a batch",
    label = "expected a number, or a `Vec` with one for each sample",
    note = "the weight is known on the host: to read it from a tensor would mean to wait for the device in every step"
)]
pub trait StatedWeight: Send + Sized + 'static {
    /// The weight.
    fn stated(&self) -> f64;

    /// Shows the field as a part of its batch.
    ///
    /// # Errors
    /// The first error of `each`.
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()>;

    /// The same again.
    #[must_use]
    fn shallow_clone(&self) -> Self;
}

macro_rules! stated {
    ($($type:ty)*) => { $(
        #[diagnostic::do_not_recommend]
        impl StatedWeight for $type {
            fn stated(&self) -> f64 {
                *self as f64
            }
            fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
                each(Part::Whole(self))
            }
            fn shallow_clone(&self) -> Self {
                *self
            }
        }

        #[diagnostic::do_not_recommend]
        impl StatedWeight for Vec<$type> {
            fn stated(&self) -> f64 {
                self.iter().map(|weight| *weight as f64).sum()
            }
            fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
                each(Part::Rows(self))
            }
            fn shallow_clone(&self) -> Self {
                self.clone()
            }
        }
    )* };
}
stated!(f64 f32 usize u64 u32 i64 i32);

/// A type that all samples can share on the device, under `#[batch(shared)]`: a `Tensor`, or several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tensor that all samples can share",
    label = "expected a `Tensor`, a `Vec<Tensor>` or an `Option<Tensor>`",
    note = "`#[batch(whole)]` marks a value that all samples share on the host"
)]
pub trait SharedField: Send + Sized + 'static {
    /// Shows the field as a part of its batch.
    ///
    /// # Errors
    /// The first error of `each`.
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()>;

    /// The same tensors, which share memory.
    #[must_use]
    fn shallow_clone(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl SharedField for Tensor {
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
        each(Part::Shared(self))
    }
    fn shallow_clone(&self) -> Self {
        Tensor::shallow_clone(self)
    }
}

#[diagnostic::do_not_recommend]
impl SharedField for Vec<Tensor> {
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
        self.iter_mut().try_for_each(|tensor| each(Part::Shared(tensor)))
    }
    fn shallow_clone(&self) -> Self {
        self.iter().map(Tensor::shallow_clone).collect()
    }
}

#[diagnostic::do_not_recommend]
impl SharedField for Option<Tensor> {
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
        self.iter_mut().try_for_each(|tensor| each(Part::Shared(tensor)))
    }
    fn shallow_clone(&self) -> Self {
        self.as_ref().map(Tensor::shallow_clone)
    }
}

/// A type that all samples can share on the host, under `#[batch(whole)]`: any type that can be cloned and sent to
/// other threads.
pub trait WholeField: Send + Sized + 'static {
    /// Shows the field as a part of its batch.
    ///
    /// # Errors
    /// The first error of `each`.
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()>;

    /// The same again.
    #[must_use]
    fn shallow_clone(&self) -> Self;
}

impl<T: Clone + Send + 'static> WholeField for T {
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
        each(Part::Whole(self))
    }
    fn shallow_clone(&self) -> Self {
        self.clone()
    }
}
