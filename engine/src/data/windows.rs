//! Where batches begin and end.

use crate::data::cursor::Cursor;
use crate::data::error::DataError;
use crate::data::share::Share;

/// The windows of the common order that batches are, found without finding those before them.
///
/// Several processes take windows that are larger by their number, and each reads its own part of a window. Cursors are
/// between windows, and the same for all processes.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    pub(super) batch_size: usize,
    pub(super) drop_last: bool,
    /// What this process reads of each window.
    pub(super) share: Share,
    /// Samples in one pass.
    pub(super) samples: u64,
    /// Whether passes are joined without an end.
    pub(super) endless: bool,
}

impl Windows {
    /// # Errors
    /// When there is no batch for so many processes.
    pub(super) fn check(&self, loader: &str) -> Result<(), DataError> {
        let (samples, batch_size) = (usize::try_from(self.samples).unwrap_or(usize::MAX), self.batch_size);
        match (self.batches(), self.share.world()) {
            (Some(0), 1) => Err(DataError::NoBatch { loader: loader.to_owned(), samples, batch_size }),
            (Some(0), world) => {
                Err(DataError::NoBatchForRanks { loader: loader.to_owned(), samples, batch_size, world })
            }
            _ => Ok(()),
        }
    }

    /// Samples of a full batch of all processes.
    pub(super) fn window(&self) -> u64 {
        self.share.window(self.batch_size)
    }

    /// Batches in one pass; `None` when it never ends.
    pub(super) fn batches(&self) -> Option<u64> {
        self.batches_left(Cursor::default())
    }

    /// Batches of the pass from here on; `None` when it never ends.
    pub(super) fn batches_left(&self, at: Cursor) -> Option<u64> {
        let (left, window) = (self.samples.saturating_sub(at.sample), self.window());
        let batches = if self.drop_last { left / window } else { left.div_ceil(window) };
        (!self.endless).then_some(batches)
    }

    /// The samples of the last batch of a pass, of the process that has the fewest of those that have any; `None` when it
    /// never ends or has no batch.
    pub(super) fn last_batch(&self) -> Option<u64> {
        self.tail().map(|samples| self.share.fewest(samples))
    }

    /// The samples of the last batch of a pass, of all processes.
    pub(super) fn tail(&self) -> Option<u64> {
        let before = self.batches()?.checked_sub(1)?.saturating_mul(self.window());
        Some((self.samples - before).min(self.window()))
    }

    /// The samples of this process in the batch that begins here; 0 also when the pass has no further batch.
    pub(super) fn own_samples(&self, at: Cursor) -> u64 {
        self.share.of(self.size_at(at)).1
    }

    /// Where the part of this process in the batch that begins here begins, and its samples; `None` when it has none.
    pub(super) fn own(&self, at: Cursor) -> Option<(Cursor, u64)> {
        let (begin, size) = self.share.of(self.size_at(at));
        // with an endless order the part may begin in the next pass
        (size > 0).then(|| (self.later(at, begin), size))
    }

    /// Behind the batch that begins here. Only the samples of an endless order go on in the next pass.
    pub(super) fn behind(&self, at: Cursor) -> Cursor {
        self.later(at, self.size_at(at))
    }

    /// Where the next batch begins: here, or at the start of the next pass when this one has no further batch.
    pub(super) fn next_begin(&self, at: Cursor) -> Cursor {
        match self.size_at(at) {
            0 => Cursor { pass: at.pass.saturating_add(1), sample: 0 },
            _ => at,
        }
    }

    fn later(&self, at: Cursor, samples: u64) -> Cursor {
        let sample = at.sample.saturating_add(samples);
        match self.endless {
            true => Cursor { pass: at.pass.saturating_add(sample / self.samples), sample: sample % self.samples },
            false => Cursor { sample, ..at },
        }
    }

    /// The number of samples in the batch of all processes that begins here; 0 when the pass has no further batch.
    pub(super) fn size_at(&self, at: Cursor) -> u64 {
        let (left, window) = (self.samples.saturating_sub(at.sample), self.window());
        match self.batches_left(at) {
            None => window,
            Some(0) => 0,
            Some(_) => left.min(window),
        }
    }
}
