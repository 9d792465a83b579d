//! A loader, whatever its dataset: what the loops take batches from.

use crate::base::Result;
use crate::data::common_order::CommonOrder;
use crate::data::cursor::Cursor;
use crate::data::dataset::{BatchOf, Dataset};
use crate::data::loader::Loader;

/// Batches of one type, in order.
#[diagnostic::on_unimplemented(
    message = "the loader's batches are not the trainer's `{B}`",
    label = "this loader hands over another type than `Steps::Batch`",
    note = "a dataset's `Item` decides its batch: tensors are stacked, tuples part by part; make `type Batch` agree with it"
)]
pub trait BatchSource<B> {
    /// Goes to a place: a seek, never a replay.
    ///
    /// # Errors
    /// When the workers can't be started.
    fn start(&mut self, cursor: Cursor) -> Result<()>;

    /// The next batch; `None` at the end of the pass.
    ///
    /// # Errors
    /// What went wrong with a sample, with its index.
    fn next_batch(&mut self) -> Result<Option<B>>;

    /// Where the next batch begins; at the end of a pass, the beginning of the next one.
    fn cursor(&self) -> Cursor;

    /// Batches of one pass; `None` when it never ends.
    fn batches(&self) -> Option<u64>;

    /// Batches that the pass still has; `None` when it never ends.
    fn batches_left(&self) -> Option<u64>;

    /// What the order of the samples depends on; `None` when there is nothing to compare with.
    fn common_order(&self) -> Option<CommonOrder>;
}

#[diagnostic::do_not_recommend]
impl<D: Dataset> BatchSource<BatchOf<D>> for Loader<D> {
    fn start(&mut self, cursor: Cursor) -> Result<()> {
        Loader::start(self, cursor)
    }
    fn next_batch(&mut self) -> Result<Option<BatchOf<D>>> {
        Loader::next_batch(self)
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
    fn common_order(&self) -> Option<CommonOrder> {
        Loader::common_order(self)
    }
}

/// Two types of batches that are one: what a loader hands over, and what a step takes.
#[diagnostic::on_unimplemented(
    message = "this loader hands over `{Self}`, and the step takes `{B}`",
    label = "batches of `{Self}`, expected `{B}`",
    note = "a dataset's `Item` decides its batches: tensors are stacked, tuples part by part; make `Batch` of `Steps` agree with it, or `Prompt` of `PredictStep`"
)]
pub trait SameBatch<B>: Sized {
    /// The same source.
    fn same(source: &mut dyn BatchSource<Self>) -> &mut dyn BatchSource<B>;
}

impl<T> SameBatch<T> for T {
    fn same(source: &mut dyn BatchSource<T>) -> &mut dyn BatchSource<T> {
        source
    }
}
