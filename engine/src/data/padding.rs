//! Sequences of different lengths in one batch.

use crate::base::error::Result;
use crate::data::collate::{Collate, CollateError};
use engine_macros::component;
use tch::{Kind, Tensor};

/// How sequences of several lengths are brought to one length. A dataset can hold it among its settings.
///
/// ```
/// # use engine::data::Padding;
/// let padding: Padding = ron::from_str("(value: -100, multiple_of: 8, weigh_tokens: true)")?;
/// assert_eq!(padding, Padding { value: -100.0, multiple_of: 8, weigh_tokens: true });
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[component]
#[derive(Copy, PartialEq)]
pub struct Padding {
    /// What is written behind a sequence that is shorter than the longest one of its batch.
    #[config(default = 0.0)]
    pub value: f64,
    /// The common length is rounded up to a multiple of this number, so that fewer lengths occur.
    #[config(default = 1, range = 1..=65_536)]
    pub multiple_of: usize,
    /// A batch counts by its elements without padding in means over several batches, not by its sequences: right where
    /// the loss is a mean over tokens.
    #[config(default = false)]
    pub weigh_tokens: bool,
}

impl Default for Padding {
    fn default() -> Self {
        Padding { value: 0.0, multiple_of: 1, weigh_tokens: false }
    }
}

/// A sample, or a part of a sample, whose length differs from sample to sample. A batch of them is a [`Padded`].
///
/// ```
/// use engine::prelude::*;
///
/// /// Sentences of one to four words, and what they are about.
/// struct Sentences {
///     padding: Padding,
/// }
///
/// impl Dataset for Sentences {
///     type Config = Padding;
///     type Item = (Sequence, i64); // batches of (Padded, Tensor)
///
///     fn open(config: &Padding) -> Result<Self> {
///         Ok(Sentences { padding: *config })
///     }
///     fn len(&self) -> usize {
///         4
///     }
///     fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
///         let words = vec![7i64; index + 1];
///         Ok((Sequence::new(Tensor::from_slice(&words), self.padding), 0))
///     }
/// }
///
/// let padding = Padding { value: -1.0, weigh_tokens: true, ..Padding::default() };
/// let config = engine::data::LoaderConfig::new(padding, 2);
/// let mut loader = Loader::<Sentences>::open("train", &config, 42)?;
/// let batch = loader.next_batch()?.expect("two batches of two");
/// let (words, _) = &batch;
/// assert_eq!(Vec::<Vec<i64>>::try_from(&words.values)?, [[7, -1], [7, 7]]);
/// assert_eq!(Vec::<Vec<bool>>::try_from(words.mask()?)?, [[true, false], [true, true]]);
/// assert_eq!((batch.size(), batch.weight()), (2, 3.0));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Sequence {
    values: Tensor,
    padding: Padding,
}

impl Sequence {
    /// A sequence `[len, …]` of any kind. All sequences of a batch must have the same padding and the same shape after
    /// the first dimension.
    pub fn new(values: Tensor, padding: Padding) -> Self {
        Sequence { values, padding }
    }

    /// The same values again, in the same memory.
    pub(super) fn shared(&self) -> Self {
        Sequence { values: self.values.shallow_clone(), padding: self.padding }
    }
}

/// Sequences of different lengths in one tensor.
#[derive(Debug, engine_macros::Batch)]
#[batch(weight = Self::stated)]
pub struct Padded {
    /// `[n, longest, …]`; after the end of each sequence, the elements have the padding value.
    pub values: Tensor,
    /// `[n]` i64: the length of each sequence, on the same device as the values.
    pub lengths: Tensor,
    /// The same on the host.
    on_host: Vec<i64>,
    #[batch(whole)]
    weigh_tokens: bool,
}

impl Padded {
    /// `[n, longest]`, true where a value belongs to its sequence and is not padding; on the same device as the
    /// values.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn mask(&self) -> Result<Tensor> {
        let longest = self.values.size()[1];
        let places = Tensor::f_arange(longest, (Kind::Int64, self.values.device()))?;
        Ok(places.f_unsqueeze(0)?.f_lt_tensor(&self.lengths.f_unsqueeze(1)?)?)
    }

    /// The length of each sequence, without waiting for the device.
    pub fn lengths_on_host(&self) -> &[i64] {
        &self.on_host
    }

    /// The number of elements without padding, over all sequences.
    pub fn tokens(&self) -> i64 {
        self.on_host.iter().sum()
    }

    fn stated(&self) -> f64 {
        match self.weigh_tokens {
            true => self.tokens() as f64,
            false => self.on_host.len() as f64,
        }
    }
}

/// Sequences `[len, …]` become `[n, longest, …]`.
#[diagnostic::do_not_recommend]
impl Collate for Sequence {
    type Batch = Padded;

    fn collate(items: Vec<Self>) -> Result<Padded> {
        let Padding { value, multiple_of, weigh_tokens } =
            items.first().map_or_else(Padding::default, |item| item.padding);
        let mut on_host = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            item.fits(&items[0], place)?;
            on_host.push(item.values.size()[0]);
        }
        let sequences: Vec<&Tensor> = items.iter().map(|item| &item.values).collect();
        let mut values = Tensor::f_pad_sequence(&sequences, true, value, "right")?;
        let longest = values.size()[1];
        let missing = (longest as u64).next_multiple_of(multiple_of.max(1) as u64) as i64 - longest;
        if missing > 0 {
            let mut shape = values.size();
            shape[1] = missing;
            let more = Tensor::f_full(&shape, value, (values.kind(), values.device()))?;
            values = Tensor::f_cat(&[values, more], 1)?;
        }
        Ok(Padded { values, lengths: Tensor::f_from_slice(&on_host)?, on_host, weigh_tokens })
    }
}

impl Sequence {
    /// Whether this sequence can be put beside the first one of its batch.
    fn fits(&self, first: &Sequence, item: usize) -> Result<(), CollateError> {
        let (found, expected) = (self.values.size(), first.values.size());
        let kind = self.values.kind();
        if found.is_empty() {
            return Err(CollateError::Scalar { item });
        }
        if found[1..] != expected[1..] {
            return Err(CollateError::Shape { item, found, expected });
        }
        if kind != first.values.kind() {
            let expected = format!("{:?}", first.values.kind());
            return Err(CollateError::Kind { item, found: format!("{kind:?}"), expected });
        }
        if self.padding != first.padding {
            let of = |padding: Padding| format!("{padding:?}");
            return Err(CollateError::Padding { item, found: of(self.padding), expected: of(first.padding) });
        }
        let value = self.padding.value;
        let representable = match kind {
            Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16 => true,
            Kind::Bool => value == 0.0 || value == 1.0,
            Kind::Uint8 => (0.0..=255.0).contains(&value) && value.fract() == 0.0,
            Kind::Int8 => value.abs() <= 127.0 && value.fract() == 0.0,
            Kind::Int16 => value.abs() <= 32_767.0 && value.fract() == 0.0,
            Kind::Int => value.abs() <= 2_147_483_647.0 && value.fract() == 0.0,
            // f64 holds every integer up to here
            _ => value.abs() <= 9_007_199_254_740_992.0 && value.fract() == 0.0,
        };
        match representable {
            true => Ok(()),
            false => Err(CollateError::PaddingValue { value, kind: format!("{kind:?}") }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Batch;
    use tch::Device;

    fn padded(padding: Padding, lengths: &[i64]) -> Padded {
        let sequence = |len: &i64| Sequence::new(Tensor::arange(*len, (Kind::Int64, Device::Cpu)) + 1, padding);
        Sequence::collate(lengths.iter().map(sequence).collect()).unwrap()
    }

    fn rows(tensor: &Tensor) -> Vec<Vec<i64>> {
        tensor.try_into().unwrap()
    }

    #[test]
    fn sequences_are_padded_behind_their_end_to_a_multiple() {
        let batch = padded(Padding { value: -100.0, multiple_of: 4, weigh_tokens: false }, &[1, 0, 5]);
        let p = -100;
        assert_eq!(rows(&batch.values), [[1, p, p, p, p, p, p, p], [p; 8], [1, 2, 3, 4, 5, p, p, p]]);
        assert_eq!(batch.lengths_on_host(), [1, 0, 5]);
        let counted = batch.mask().unwrap().sum_dim_intlist(1, false, Kind::Int64);
        assert_eq!(Vec::<i64>::try_from(counted).unwrap(), [1, 0, 5]);
        let exact = padded(Padding { multiple_of: 4, ..Padding::default() }, &[4, 8]);
        assert_eq!(exact.values.size(), [2, 8]);
    }

    #[test]
    fn what_a_batch_counts_is_its_sequences_or_its_tokens() {
        let weigh = |weigh_tokens| padded(Padding { weigh_tokens, ..Padding::default() }, &[1, 0, 5]);
        assert_eq!((weigh(false).weight(), weigh(true).weight()), (3.0, 6.0));
        let parts = weigh(true).split(2).unwrap();
        assert_eq!(parts.iter().map(Batch::weight).collect::<Vec<_>>(), [1.0, 5.0]);
        assert_eq!(parts[1].lengths_on_host(), [5]);
    }

    #[test]
    fn further_dimensions_stay_as_they_are() {
        let frames =
            |len: i64| Sequence::new(Tensor::ones([len, 2, 3], (Kind::Float, Device::Cpu)), Padding::default());
        let batch = Sequence::collate(vec![frames(2), frames(4)]).unwrap();
        assert_eq!((batch.values.size(), batch.mask().unwrap().size()), (vec![2, 4, 2, 3], vec![2, 4]));
        assert_eq!(batch.values.sum(Kind::Float).double_value(&[]), 36.0);
    }

    #[test]
    fn sequences_that_do_not_fit_together_are_named() {
        let refused = |items: Vec<Sequence>| Sequence::collate(items).unwrap_err().to_string();
        let of = |shape: &[i64], kind| Sequence::new(Tensor::zeros(shape, (kind, Device::Cpu)), Padding::default());
        let two = |other| vec![of(&[3, 2], Kind::Float), other];
        assert!(
            refused(two(of(&[5, 3], Kind::Float)))
                .starts_with("item 1 of the batch has shape [5, 3], item 0 has [3, 2]")
        );
        assert!(
            refused(two(of(&[3, 2], Kind::Int)))
                .starts_with("item 1 of the batch is of kind Int, item 0 of kind Float")
        );
        assert!(refused(vec![of(&[], Kind::Float)]).starts_with("item 0 of the batch is a single number"));
        let mut other = of(&[3, 2], Kind::Float);
        other.padding.value = 1.0;
        assert!(refused(two(other)).starts_with("item 1 of the batch is padded by"));
        let mut half = of(&[3], Kind::Uint8);
        half.padding.value = -1.0;
        assert_eq!(
            refused(vec![half]),
            "sequences of kind Uint8 can't be padded with -1.0; choose a `value` that this kind can hold"
        );
    }
}
