//! How samples become a batch.

use crate::base::error::{ErrorContext as _, Result};
use crate::data::batch::Batch;
use crate::native::tensor_of_rows;
use tch::Tensor;

/// A sample that can be collated with others of its type into a batch.
#[diagnostic::on_unimplemented(
    message = "samples of type `{Self}` can't be put into a batch",
    label = "this type does not implement `Collate`",
    note = "a `Tensor`, `i64`, `f32`, `f64`, `bool`, `String`, a `Vec` of numbers, a `Sequence` and tuples of up to four of them can; implement `engine::data::Collate` for a type of your own"
)]
pub trait Collate: Send + Sized {
    /// The batch that the samples become.
    type Batch: Batch;

    /// Makes a batch of the samples, in order. There is at least one sample.
    ///
    /// # Errors
    /// When the samples don't fit together.
    fn collate(items: Vec<Self>) -> Result<Self::Batch>;
}

/// Why samples don't fit together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollateError {
    /// Tensors with different shapes.
    #[error(
        "item {item} of the batch has shape {found:?}, item 0 has {expected:?}; make them the same shape in `get`, or make them a `Sequence`, which is padded"
    )]
    Shape {
        /// The place in the batch, from 0.
        item: usize,
        /// Its shape.
        found: Vec<i64>,
        /// The shape of the first one.
        expected: Vec<i64>,
    },
    /// Lists with different lengths.
    #[error(
        "item {item} of the batch has {found} values, item 0 has {expected}; make them the same length in `get`, or make them a `Sequence`, which is padded"
    )]
    Length {
        /// The place in the batch, from 0.
        item: usize,
        /// Its length.
        found: usize,
        /// The length of the first one.
        expected: usize,
    },
    /// A sequence without a length.
    #[error("item {item} of the batch is a single number, expected a sequence `[len, …]`")]
    Scalar {
        /// The place in the batch, from 0.
        item: usize,
    },
    /// Tensors with different kinds.
    #[error(
        "item {item} of the batch is of kind {found}, item 0 of kind {expected}; convert them to one kind in `get`"
    )]
    Kind {
        /// The place in the batch, from 0.
        item: usize,
        /// Its kind.
        found: String,
        /// The kind of the first one.
        expected: String,
    },
    /// Sequences with different padding.
    #[error("item {item} of the batch is padded by {found}, item 0 by {expected}; give all of them the same `Padding`")]
    Padding {
        /// The place in the batch, from 0.
        item: usize,
        /// Its padding.
        found: String,
        /// The padding of the first one.
        expected: String,
    },
    /// A padding value that the kind of the sequences can't represent.
    #[error("sequences of kind {kind} can't be padded with {value:?}; choose a `value` that this kind can hold")]
    PaddingValue {
        /// The value.
        value: f64,
        /// The kind of the sequences.
        kind: String,
    },
}

impl CollateError {
    /// The index in the batch of the sample that does not fit the first one.
    pub fn item(&self) -> usize {
        match self {
            CollateError::Shape { item, .. }
            | CollateError::Length { item, .. }
            | CollateError::Scalar { item }
            | CollateError::Kind { item, .. }
            | CollateError::Padding { item, .. } => *item,
            CollateError::PaddingValue { .. } => 0,
        }
    }
}

/// Samples `[…]` become `[n, …]`.
#[diagnostic::do_not_recommend]
impl Collate for Tensor {
    type Batch = Tensor;

    fn collate(items: Vec<Self>) -> Result<Tensor> {
        let expected = items.first().map(Tensor::size).unwrap_or_default();
        if let Some((item, odd)) = items.iter().enumerate().find(|(_, tensor)| tensor.size() != expected) {
            return Err(CollateError::Shape { item, found: odd.size(), expected }.into());
        }
        Ok(Tensor::f_stack(&items, 0)?)
    }
}

macro_rules! collate_numbers {
    ($($type:ty)*) => { $(
        /// `[n]`
        #[diagnostic::do_not_recommend]
        impl Collate for $type {
            type Batch = Tensor;

            fn collate(items: Vec<Self>) -> Result<Tensor> {
                Ok(Tensor::f_from_slice(&items)?)
            }
        }

        /// The lists, all of the same length, become `[n, len]`.
        #[diagnostic::do_not_recommend]
        impl Collate for Vec<$type> {
            type Batch = Tensor;

            fn collate(items: Vec<Self>) -> Result<Tensor> {
                let expected = items.first().map_or(0, Vec::len);
                if let Some((item, odd)) = items.iter().enumerate().find(|(_, row)| row.len() != expected) {
                    return Err(CollateError::Length { item, found: odd.len(), expected }.into());
                }
                Ok(tensor_of_rows(&items)?)
            }
        }
    )* };
}
collate_numbers!(i64 f32 f64 bool);

/// The texts, in order.
#[diagnostic::do_not_recommend]
impl Collate for String {
    type Batch = Vec<String>;

    fn collate(items: Vec<Self>) -> Result<Vec<String>> {
        Ok(items)
    }
}

macro_rules! collate_tuple {
    ($($part:ident $at:tt $items:ident),+) => {
        /// Each part is collated separately.
        #[diagnostic::do_not_recommend]
        impl<$($part: Collate),+> Collate for ($($part,)+) {
            type Batch = ($($part::Batch,)+);

            fn collate(items: Vec<Self>) -> Result<Self::Batch> {
                $(let mut $items = Vec::with_capacity(items.len());)+
                for item in items {
                    $($items.push(item.$at);)+
                }
                Ok(($($part::collate($items).context(concat!("in part ", $at, " of the sample"))?,)+))
            }
        }
    };
}
collate_tuple!(A 0 a);
collate_tuple!(A 0 a, B 1 b);
collate_tuple!(A 0 a, B 1 b, C 2 c);
collate_tuple!(A 0 a, B 1 b, C 2 c, D 3 d);

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn each_part_of_a_sample_is_collated_for_itself() {
        let sample = |n: i64| (Tensor::from_slice(&[n, n + 1]), n, n as f32 / 2.0, format!("sample {n}"));
        let (tensors, numbers, halves, texts) = Collate::collate(vec![sample(0), sample(4)]).unwrap();
        assert_eq!(Vec::<Vec<i64>>::try_from(&tensors).unwrap(), [[0, 1], [4, 5]]);
        assert_eq!((Vec::<i64>::try_from(&numbers).unwrap(), numbers.kind()), (vec![0, 4], Kind::Int64));
        assert_eq!((Vec::<f32>::try_from(&halves).unwrap(), halves.kind()), (vec![0.0, 2.0], Kind::Float));
        assert_eq!(texts, ["sample 0", "sample 4"]);
        assert_eq!(bool::collate(vec![true, false]).unwrap().kind(), Kind::Bool);
        let rows = Vec::<f64>::collate(vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]]).unwrap();
        assert_eq!((rows.size(), rows.kind()), (vec![2, 3], Kind::Double));
    }

    #[test]
    fn the_item_that_does_not_fit_is_named_with_its_part() {
        let sample = |n: i64| (0i64, Tensor::zeros([3, n], (Kind::Float, Device::Cpu)));
        let error = Collate::collate(vec![sample(4), sample(4), sample(5)]).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "in part 1 of the sample: item 2 of the batch has shape [3, 5], item 0 has [3, 4]; make them the same shape in `get`, or make them a `Sequence`, which is padded"
        );
        assert!(matches!(error.downcast_ref(), Some(CollateError::Shape { item: 2, .. })));
        let error = Vec::<i64>::collate(vec![vec![1], vec![]]).unwrap_err();
        assert!(error.to_string().starts_with("item 1 of the batch has 0 values, item 0 has 1"), "{error}");
    }
}
