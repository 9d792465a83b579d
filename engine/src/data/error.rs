//! Errors of data, each with its place.

use crate::base::error::Error;
use crate::base::panics;
use crate::data::collate::CollateError;
use crate::data::cursor::Cursor;

/// Why a loader returned no batch. Every error names the loader.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The current command does not use this loader, so its dataset was not opened.
    #[error("loader `{loader}` is not open: this command does not use it")]
    Closed {
        /// The loader's name.
        loader: String,
    },
    /// The dataset has no samples.
    #[error("loader `{loader}` has no samples; check where its dataset looks for the data")]
    Empty {
        /// The loader.
        loader: String,
    },
    /// With `drop_last` no batch would be left.
    #[error(
        "loader `{loader}` gives no batch: `batch_size` is {batch_size}, `drop_last` is true and a pass has {samples} samples; use a `batch_size` of at most {samples}"
    )]
    NoBatch {
        /// The loader.
        loader: String,
        /// Samples of one pass.
        samples: usize,
        /// As configured.
        batch_size: usize,
    },
    /// With `drop_last` no batch would be left for so many processes.
    #[error(
        "loader `{loader}` gives no batch: {world} ranks take `batch_size` {batch_size} samples each, `drop_last` is true and a pass has {samples} samples; use a smaller `batch_size`, or fewer ranks"
    )]
    NoBatchForRanks {
        /// The loader.
        loader: String,
        /// Samples of one pass.
        samples: usize,
        /// As configured.
        batch_size: usize,
        /// The number of processes.
        world: u64,
    },
    /// Fewer batches than are to be given again and again.
    #[error(
        "loader `{loader}` can't give the same {batches} batches again and again: a pass has {most}; ask for at most {most}"
    )]
    Repeat {
        /// The loader.
        loader: String,
        /// As many are asked for.
        batches: u64,
        /// As many there are; of an endless loader, those before its samples come again.
        most: u64,
    },
    /// The settings contradict each other or are out of range.
    #[error("loader `{loader}`: {why}")]
    Settings {
        /// The loader.
        loader: String,
        /// What is wrong.
        why: String,
    },
    /// The dataset could not be opened.
    #[error("the data of loader `{loader}` can't be opened: {why:#}")]
    Open {
        /// The loader.
        loader: String,
        /// The dataset's own error.
        why: Error,
    },
    /// The sampler failed, or its order does not fit the data.
    #[error("the sampler of loader `{loader}` failed in pass {pass}: {why:#}")]
    Sampler {
        /// The loader.
        loader: String,
        /// The pass, from 0.
        pass: u64,
        /// What is wrong.
        why: Error,
    },
    /// A stream could not be read.
    #[error("loader `{loader}` can't read record {record} of its stream: {why:#}")]
    Record {
        /// The loader.
        loader: String,
        /// The number of the record, from 0, through all rounds.
        record: u64,
        /// The stream's own error.
        why: Error,
    },
    /// `Dataset::get` returned an error.
    #[error("loader `{loader}` can't read sample {index} in pass {pass}: {why:#}")]
    Sample {
        /// The loader.
        loader: String,
        /// The pass, from 0.
        pass: u64,
        /// The sample's index in the dataset.
        index: usize,
        /// The dataset's own error.
        why: Error,
    },
    /// `Dataset::get` panicked.
    #[error("loader `{loader}` can't read sample {index} in pass {pass}: the dataset panicked: {panic}")]
    SamplePanic {
        /// The loader.
        loader: String,
        /// The pass, from 0.
        pass: u64,
        /// The sample's index in the dataset.
        index: usize,
        /// The panic's message.
        panic: String,
    },
    /// The samples were read, but could not be collated.
    #[error("loader `{loader}` can't make the batch at position {} of pass {} {}: {why:#}", at.sample, at.pass, from_samples(indices, why))]
    Batch {
        /// The loader.
        loader: String,
        /// Where it begins in the common order.
        at: Cursor,
        /// The indices of its samples, in the batch's order.
        indices: Vec<usize>,
        /// Why.
        why: Error,
    },
    /// The position to start from is past the end of a pass.
    #[error(
        "loader `{loader}` can't start at position {sample}: a pass has {samples} samples; the data have changed since the position was saved"
    )]
    Cursor {
        /// The loader.
        loader: String,
        /// The samples asked to be left out.
        sample: u64,
        /// Samples of one pass.
        samples: u64,
    },
    /// There is not enough memory for this many samples.
    #[error(
        "loader `{loader}` needs more memory than there is for a batch of {batch_size} samples; set a smaller `batch_size`"
    )]
    Memory {
        /// The loader.
        loader: String,
        /// As configured.
        batch_size: usize,
    },
    /// A worker did not answer in time.
    #[error(
        "loader `{loader}` waited {seconds} s for {what}, longer than its `timeout` allows; look at what the dataset's `get` waits for there"
    )]
    Timeout {
        /// The loader.
        loader: String,
        /// Its `timeout`.
        seconds: f64,
        /// The sample that is being read, or the batch.
        what: String,
    },
    /// A worker thread could not be started, or ended without an answer.
    #[error("the workers of loader `{loader}` failed: {why}; try fewer `workers`")]
    Workers {
        /// The loader.
        loader: String,
        /// Why.
        why: String,
    },
}

impl DataError {
    /// The error of the user's code that caused this one.
    pub fn cause(&self) -> Option<&Error> {
        match self {
            DataError::Open { why, .. }
            | DataError::Sampler { why, .. }
            | DataError::Record { why, .. }
            | DataError::Sample { why, .. }
            | DataError::Batch { why, .. } => Some(why),
            _ => None,
        }
    }
}

/// Which sample is to blame when that is known, else the first few of the batch.
fn from_samples(indices: &[usize], why: &Error) -> String {
    let culprit = why.downcast_ref::<CollateError>().map(CollateError::item);
    if let Some((item, index)) = culprit.and_then(|item| Some((item, indices.get(item)?))) {
        return format!("(item {item} is sample {index})");
    }
    let first: Vec<String> = indices.iter().take(8).map(usize::to_string).collect();
    let more = if indices.len() > first.len() { ", …" } else { "" };
    format!("from samples {}{more}", first.join(", "))
}

/// Runs a user's code; a panic becomes its message.
///
/// What the code may have left half done is its own: the engine does not use a batch that panicked.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    panics::message_of(run)
}
