//! The data, as a sampler sees them.

use crate::base::error::{Error, Result};
use crate::random::WeightTable;
use std::sync::{Arc, OnceLock};

/// What a dataset says of its samples, for samplers that ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// [`Dataset::weights`](crate::data::Dataset::weights)
    Weights,
    /// [`Dataset::classes`](crate::data::Dataset::classes)
    Classes,
    /// [`Dataset::lengths`](crate::data::Dataset::lengths)
    Lengths,
}

impl Fact {
    /// Every fact.
    pub const ALL: &'static [Fact] = &[Fact::Weights, Fact::Classes, Fact::Lengths];

    /// The name of the method of `Dataset`.
    pub(in crate::data) const fn method(self) -> &'static str {
        match self {
            Fact::Weights => "weights",
            Fact::Classes => "classes",
            Fact::Lengths => "lengths",
        }
    }
}

/// The data, as a sampler sees it.
#[derive(Clone, Copy, Debug)]
pub struct Population<'a> {
    /// The number of samples in the dataset.
    pub len: usize,
    /// The dataset's weights, one for each sample, if it has any.
    pub weights: Option<&'a [f64]>,
    /// The class of each sample, if the dataset tells them.
    pub classes: Option<&'a [i64]>,
    /// The length of each sample, for example in tokens, if the dataset tells them.
    pub lengths: Option<&'a [usize]>,
    table: Option<&'a OnceLock<Arc<WeightTable>>>,
}

impl<'a> Population<'a> {
    /// `len` samples with these weights.
    pub fn new(len: usize, weights: Option<&'a [f64]>) -> Self {
        Population { len, weights, classes: None, lengths: None, table: None }
    }

    /// The same samples, of these classes.
    #[must_use]
    pub fn with_classes(self, classes: Option<&'a [i64]>) -> Self {
        Population { classes, ..self }
    }

    /// The same samples, of these lengths.
    #[must_use]
    pub fn with_lengths(self, lengths: Option<&'a [usize]>) -> Self {
        Population { lengths, ..self }
    }

    /// The same; what is made of the weights is kept here for the passes to come.
    pub(in crate::data) fn keeping(self, table: &'a OnceLock<Arc<WeightTable>>) -> Self {
        Population { table: Some(table), ..self }
    }

    /// The running sums of the weights. They are computed once per loader, not once per pass.
    ///
    /// # Errors
    /// When there are no weights, when there is not one for each sample, or when they are not valid.
    pub fn weight_table(&self) -> Result<Arc<WeightTable>> {
        if let Some(table) = self.table.and_then(OnceLock::get) {
            return Ok(table.clone());
        }
        let weights = self.of_each(Fact::Weights, self.weights, "Weighted", "a weight for")?;
        let table = Arc::new(WeightTable::new(weights)?);
        Ok(self.table.map_or(&table, |kept| kept.get_or_init(|| table.clone())).clone())
    }

    /// The class of each sample, for the sampler of this name.
    ///
    /// # Errors
    /// When the dataset tells no classes, or not one for each sample.
    pub fn class_of_each(&self, sampler: &str) -> Result<&'a [i64]> {
        self.of_each(Fact::Classes, self.classes, sampler, "the class of")
    }

    /// The length of each sample, for the sampler of this name.
    ///
    /// # Errors
    /// When the dataset tells no lengths, or not one for each sample.
    pub fn length_of_each(&self, sampler: &str) -> Result<&'a [usize]> {
        self.of_each(Fact::Lengths, self.lengths, sampler, "the length of")
    }

    fn of_each<T>(&self, fact: Fact, values: Option<&'a [T]>, sampler: &str, needs: &str) -> Result<&'a [T]> {
        let method = fact.method();
        let values = values.ok_or_else(|| {
            Error::msg(format!(
                "the sampler `{sampler}` needs {needs} each sample, and the dataset has none; implement `Dataset::{method}`"
            ))
        })?;
        match values.len() == self.len {
            true => Ok(values),
            false => Err(Error::msg(format!(
                "the dataset has {} {method} for {} samples; `Dataset::{method}` gives one for each",
                values.len(),
                self.len
            ))),
        }
    }
}
