//! A loader, whatever its dataset: what the loops take batches from.

use crate::base::Result;
use crate::data::common_order::CommonOrder;
use crate::data::cursor::Cursor;
use crate::data::dataset::{BatchOf, Dataset};
use crate::data::loader::Loader;

/// Where a loader stands in its data, and where it can go; whatever its batches are.
pub trait Source {
    /// Goes to a place: a seek, never a replay.
    ///
    /// # Errors
    /// When the pass has fewer samples, or the workers can't be started.
    fn start(&mut self, cursor: Cursor) -> Result<()>;

    /// Where the next batch begins; at the end of a pass, the beginning of the next one.
    fn cursor(&self) -> Cursor;

    /// Batches of one pass; `None` when it never ends.
    fn batches(&self) -> Option<u64>;

    /// Batches that the pass still has; `None` when it never ends.
    fn batches_left(&self) -> Option<u64>;

    /// The samples of the last batch of a pass; `None` when it never ends, has no batch, or that is not known.
    fn last_batch(&self) -> Option<u64> {
        None
    }

    /// What the order of the samples depends on; `None` when there is nothing to compare with.
    fn common_order(&self) -> Option<CommonOrder>;

    /// Lets go of what was read ahead. The place stays; what is used again reads anew.
    fn stop(&mut self) {}

    /// Begins the next pass when this one has no batch left.
    ///
    /// # Errors
    /// Those of [`Source::start`].
    fn go_on(&mut self) -> Result<()> {
        match self.batches_left() {
            Some(0) => self.start(self.cursor()),
            _ => Ok(()),
        }
    }
}

/// Batches of one type, in order. It is all that stands between a worker's batch and the step that takes it.
pub trait BatchSource<B>: Source {
    /// The next batch; `None` at the end of the pass.
    ///
    /// # Errors
    /// What went wrong with a sample, with its index. The loader stays where it is.
    fn next_batch(&mut self) -> Result<Option<B>>;
}

impl<D: Dataset> Source for Loader<D> {
    fn start(&mut self, cursor: Cursor) -> Result<()> {
        Loader::start(self, cursor)
    }
    fn cursor(&self) -> Cursor {
        Loader::cursor(self)
    }
    fn batches(&self) -> Option<u64> {
        Loader::batches(self)
    }
    fn batches_left(&self) -> Option<u64> {
        Loader::batches_left(self)
    }
    fn last_batch(&self) -> Option<u64> {
        Loader::last_batch(self)
    }
    fn common_order(&self) -> Option<CommonOrder> {
        Loader::common_order(self)
    }
    fn stop(&mut self) {
        Loader::stop(self);
    }
}

impl<D: Dataset> BatchSource<BatchOf<D>> for Loader<D> {
    fn next_batch(&mut self) -> Result<Option<BatchOf<D>>> {
        Loader::next_batch(self)
    }
}
