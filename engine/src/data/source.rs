//! A loader with any dataset, from which the loops read batches.

use crate::base::{Error, Result, StateValue};
use crate::data::common_order::CommonOrder;
use crate::data::cursor::Cursor;
use crate::data::dataset::{BatchOf, Dataset};
use crate::data::loader::Loader;
use tch::Device;

/// The position of a loader in its data, for loaders with any type of batch.
pub trait Source {
    /// Moves to a position without reading the samples before it.
    ///
    /// # Errors
    /// When the pass has fewer samples, or the workers can't be started.
    fn start(&mut self, cursor: Cursor) -> Result<()>;

    /// Where in the data the position is, for a loader that can't go to any position directly: a checkpoint holds it beside
    /// the cursor, and [`Source::start_at`] gets it back.
    fn place(&self) -> Option<StateValue> {
        None
    }

    /// Moves to a position with what [`Source::place`] gave there.
    ///
    /// # Errors
    /// Those of [`Source::start`], and when the place is of another loader.
    fn start_at(&mut self, cursor: Cursor, place: Option<StateValue>) -> Result<()> {
        let _ = place;
        self.start(cursor)
    }

    /// Where the next batch begins; at the end of a pass, the beginning of the next one.
    fn cursor(&self) -> Cursor;

    /// Batches of one pass; `None` when it never ends.
    fn batches(&self) -> Option<u64>;

    /// Remaining batches of the pass; `None` when it never ends.
    fn batches_left(&self) -> Option<u64>;

    /// The number of samples in the last batch of a pass; `None` when the pass never ends or has no batch, or when the
    /// number is not known.
    fn last_batch(&self) -> Option<u64> {
        None
    }

    /// What the order of the samples depends on; `None` when there is nothing to compare with.
    fn common_order(&self) -> Option<CommonOrder>;

    /// Drops the batches that were read ahead. The position does not change; the next use reads them again.
    fn stop(&mut self) {}

    /// Reads only the part of this process of each batch from now on; see [`Loader::deal`].
    ///
    /// # Errors
    /// When there is no batch for so many processes; always, when the loader can't be shared.
    fn deal(&mut self, rank: usize, world: usize) -> Result<()> {
        let _ = rank;
        match world {
            0 | 1 => Ok(()),
            _ => Err(Error::msg(
                "this loader can't be shared by several processes: it does not implement `Source::deal`",
            )),
        }
    }

    /// Gives the first `batches` batches of pass 0 in every pass from now on; see [`Loader::repeat`].
    ///
    /// # Errors
    /// When a pass has fewer; always, when the loader can't do it.
    fn repeat(&mut self, batches: u64) -> Result<()> {
        let _ = batches;
        Err(Error::msg(
            "this loader can't give the same batches again and again: it does not implement `Source::repeat`",
        ))
    }

    /// The samples of this process in the next batch, which is 0 when other processes have all of them; `None` when it is
    /// not known.
    fn own_samples(&self) -> Option<u64> {
        None
    }

    /// The samples of the next batch, of all processes together; `None` when it is not known.
    fn next_samples(&self) -> Option<u64> {
        None
    }

    /// The samples of a full batch, of all processes together; `None` when it is not known.
    fn batch_samples(&self) -> Option<u64> {
        None
    }

    /// The samples of a pass, also those that are in no batch because it would not be full; `None` when the pass never ends, or
    /// the number is not known.
    fn samples(&self) -> Option<u64> {
        None
    }

    /// The samples of the last batch of a pass, of all processes together; `None` when the pass never ends, or the number
    /// is not known.
    fn tail(&self) -> Option<u64> {
        None
    }

    /// Goes past the next batch without reading it.
    ///
    /// # Errors
    /// Those of [`Source::start`]; always, when [`Source::own_samples`] is never known.
    fn skip(&mut self) -> Result<()> {
        Err(Error::msg("this loader can't go past a batch: it does not implement `Source::skip`"))
    }

    /// Told before the first batch: the steps run on this device. A loader of your own may ignore it.
    fn transfer_to(&mut self, device: Device) {
        let _ = device;
    }

    /// A good moment to begin copying the next batch to the device; see [`Loader::bring_ahead`].
    fn bring_ahead(&mut self) {}

    /// A line about something that went wrong and harms no data, to be told once.
    fn notice(&mut self) -> Option<String> {
        None
    }

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

/// Batches of one type, in order, for the step that uses them.
pub trait BatchSource<B>: Source {
    /// The next batch; `None` at the end of the pass.
    ///
    /// # Errors
    /// The error of a sample, with its index. The position of the loader does not change.
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
    fn deal(&mut self, rank: usize, world: usize) -> Result<()> {
        Loader::deal(self, rank, world)
    }
    fn repeat(&mut self, batches: u64) -> Result<()> {
        Loader::repeat(self, batches)
    }
    fn own_samples(&self) -> Option<u64> {
        Some(Loader::own_samples(self))
    }
    fn next_samples(&self) -> Option<u64> {
        Loader::next_samples(self)
    }
    fn batch_samples(&self) -> Option<u64> {
        Loader::batch_samples(self)
    }
    fn samples(&self) -> Option<u64> {
        Loader::batches(self).map(|_| Loader::samples(self) as u64)
    }
    fn tail(&self) -> Option<u64> {
        Loader::tail(self)
    }
    fn skip(&mut self) -> Result<()> {
        Loader::skip(self)
    }
    fn transfer_to(&mut self, device: Device) {
        Loader::transfer_to(self, device);
    }
    fn bring_ahead(&mut self) {
        Loader::bring_ahead(self);
    }
    fn notice(&mut self) -> Option<String> {
        Loader::notice(self)
    }
}

impl<D: Dataset> BatchSource<BatchOf<D>> for Loader<D> {
    fn next_batch(&mut self) -> Result<Option<BatchOf<D>>> {
        Loader::next_batch(self)
    }
}
