//! The parts that a batch is made of.

use crate::base::error::Result;
use std::any::Any;
use std::ops::Range;
use tch::Tensor;

/// Called with each part of a batch.
pub type EachPart<'f, 'a> = dyn FnMut(Part<'a>) -> Result<()> + 'f;

/// One part of a batch.
#[non_exhaustive]
pub enum Part<'a> {
    /// `[n, …]`: the first dimension counts the samples.
    Tensor(&'a mut Tensor),
    /// One tensor for each sample.
    Tensors(&'a mut Vec<Tensor>),
    /// A tensor that all samples share.
    Shared(&'a mut Tensor),
    /// Values on the host, one for each sample.
    Rows(&'a mut dyn Rows),
    /// A value on the host that belongs to the whole batch.
    Whole(&'a mut dyn Whole),
}

impl Part<'_> {
    /// Calls `each` with every tensor of the part.
    ///
    /// # Errors
    /// The first error of `each`.
    pub fn tensors(self, each: &mut dyn FnMut(&mut Tensor) -> Result<()>) -> Result<()> {
        match self {
            Part::Tensor(tensor) | Part::Shared(tensor) => each(tensor),
            Part::Tensors(tensors) => tensors.iter_mut().try_for_each(each),
            Part::Rows(_) | Part::Whole(_) => Ok(()),
        }
    }

    /// Keeps the samples of a range that lies within the batch.
    pub(super) fn keep(self, range: Range<usize>, size: usize, part: usize) -> Result<()> {
        let fits = |rows: usize| match rows == size {
            true => Ok(()),
            false => Err(BatchError::Rows { part, rows, size }),
        };
        match self {
            Part::Tensor(tensor) => {
                fits(rows(tensor))?;
                *tensor = tensor.f_narrow(0, range.start as i64, range.len() as i64)?;
            }
            Part::Tensors(tensors) => {
                fits(tensors.len())?;
                tensors.truncate(range.end);
                tensors.drain(..range.start);
            }
            Part::Rows(values) => {
                fits(values.len())?;
                values.keep(range);
            }
            Part::Shared(_) | Part::Whole(_) => {}
        }
        Ok(())
    }

    /// Copies what another part holds into this one.
    pub(super) fn copy_from(self, source: Part<'_>, part: usize) -> Result<()> {
        match (self, source) {
            (Part::Tensor(into), Part::Tensor(from)) | (Part::Shared(into), Part::Shared(from)) => {
                copy(into, from, part)
            }
            (Part::Tensors(into), Part::Tensors(from)) if into.len() == from.len() => {
                into.iter_mut().zip(from).try_for_each(|(into, from)| copy(into, from, part))
            }
            (into, from) => {
                let same = match (into, from) {
                    (Part::Rows(into), Part::Rows(from)) => into.assign(from),
                    (Part::Whole(into), Part::Whole(from)) => into.assign(from),
                    _ => false,
                };
                same.then_some(()).ok_or_else(|| BatchError::Other { part }.into())
            }
        }
    }
}

/// The samples that a tensor holds; one that has no dimension holds one.
pub(super) fn rows(tensor: &Tensor) -> usize {
    tensor.size().first().map_or(1, |first| *first as usize)
}

fn copy(into: &mut Tensor, from: &Tensor, part: usize) -> Result<()> {
    let (expected, found) = (into.size(), from.size());
    if expected != found || into.kind() != from.kind() {
        let of = |tensor: &Tensor, shape| format!("{:?} {shape:?}", tensor.kind());
        return Err(BatchError::Shape { part, found: of(from, found), expected: of(into, expected) }.into());
    }
    Ok(into.f_copy_(from)?)
}

/// Values on the host, one for each sample: a `Vec`.
pub trait Rows: Any + Send {
    /// How many there are.
    fn len(&self) -> usize;
    /// True when there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Keeps the values of a range that is within bounds.
    fn keep(&mut self, range: Range<usize>);
    /// Copies the values of `other` when it has the same type; returns false when it has another type.
    fn assign(&mut self, other: &dyn Rows) -> bool;
    /// The list itself.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Clone + Send + 'static> Rows for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn keep(&mut self, range: Range<usize>) {
        self.truncate(range.end);
        self.drain(..range.start);
    }
    fn assign(&mut self, other: &dyn Rows) -> bool {
        let Some(other) = other.as_any().downcast_ref::<Self>() else { return false };
        self.clone_from(other);
        true
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A value on the host that belongs to the whole batch: any type that can be cloned.
pub trait Whole: Any + Send {
    /// Copies the value of `other` when it has the same type; returns false when it has another type.
    fn assign(&mut self, other: &dyn Whole) -> bool;
    /// The value itself.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Clone + Send + 'static> Whole for T {
    fn assign(&mut self, other: &dyn Whole) -> bool {
        let Some(other) = other.as_any().downcast_ref::<Self>() else { return false };
        self.clone_from(other);
        true
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Errors of batches. Parts are counted from 0, in the order in which the batch shows them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A part that does not have one row for each sample.
    #[error(
        "part {part} of the batch has {rows} rows for {size} samples, so the batch can't be split; mark what all samples share with `#[batch(shared)]` or `#[batch(whole)]`"
    )]
    Rows {
        /// Which part.
        part: usize,
        /// Its rows.
        rows: usize,
        /// The samples of the batch.
        size: usize,
    },
    /// Samples that the batch does not have.
    #[error("samples {start} to {end} can't be selected: the batch has {size}")]
    Range {
        /// The first one.
        start: usize,
        /// The index after the last one.
        end: usize,
        /// The samples of the batch.
        size: usize,
    },
    /// Tensors with different shapes or kinds.
    #[error("part {part} of the batch is {found}, and its copy must go into {expected}")]
    Shape {
        /// Which part.
        part: usize,
        /// The tensor to copy.
        found: String,
        /// The tensor to copy into.
        expected: String,
    },
    /// An invalid weight.
    #[error("the weight of the batch is {weight}, expected a finite number of at least 0")]
    Weight {
        /// The weight of the batch.
        weight: f64,
    },
    /// Two batches of the same type with different parts: an `Option` that is `Some` in only one of them.
    #[error("part {part} of the batch differs in type from the same part of the other batch")]
    Other {
        /// Which part.
        part: usize,
    },
}
