//! The batches of a dataset, pass after pass.

use crate::base::error::Result;
use crate::data::common_order::CommonOrder;
use crate::data::config::LoaderConfig;
use crate::data::cursor::Cursor;
use crate::data::dataset::{BatchOf, Dataset};
use crate::data::error::DataError;
use crate::data::opened::Opened;

/// Gives the batches of a dataset, made ahead by worker threads if there are any.
///
/// The batches are a function of (seed, name, position in the common order, `batch_size`). Threads are started when the first batch is wanted,
/// live until [`Loader::stop`] or the drop, and are never waited for longer than a second then.
///
/// A command that needs no batches of a loader does not open it, so that predictions need no training data.
#[derive(Debug)]
pub struct Loader<D: Dataset> {
    name: String,
    opened: Option<Opened<D>>,
}

impl<D: Dataset> Loader<D> {
    /// Opens the dataset. `name` is the loader's in the experiment file; `seed` is the run's, and two loaders of one
    /// run draw differently because their names differ.
    ///
    /// # Errors
    /// [`DataError`] when the dataset can't be opened, is empty, or gives no batch.
    pub fn open(name: &str, config: &LoaderConfig<D::Config>, seed: u64) -> Result<Self> {
        Ok(Loader { name: name.to_owned(), opened: Some(Opened::open(name, config, seed)?) })
    }

    /// As [`Loader::open`], with a dataset that is open already; `config.dataset` is not read.
    ///
    /// # Errors
    /// [`DataError`] when the dataset is empty, gives no batch, or the settings contradict each other.
    pub fn with_dataset(name: &str, dataset: D, config: &LoaderConfig<D::Config>, seed: u64) -> Result<Self> {
        Ok(Loader { name: name.to_owned(), opened: Some(Opened::with_dataset(name, dataset, config, seed)?) })
    }

    /// A loader that the command at hand has no use for.
    pub fn closed(name: &str) -> Self {
        Loader { name: name.to_owned(), opened: None }
    }

    /// The name in the experiment file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The data; `None` when the command at hand does not use this loader.
    pub fn dataset(&self) -> Option<&D> {
        self.opened.as_ref().map(Opened::dataset)
    }

    /// Samples in one pass; 0 when it is closed.
    pub fn samples(&self) -> usize {
        self.opened.as_ref().map_or(0, Opened::samples)
    }

    /// Batches in one pass; `None` when the sampler is endless, 0 when it is closed.
    pub fn batches(&self) -> Option<u64> {
        self.opened.as_ref().map_or(Some(0), Opened::batches)
    }

    /// Batches that the pass still has; `None` when the sampler is endless, 0 at the end of a pass and when it is
    /// closed.
    pub fn batches_left(&self) -> Option<u64> {
        self.opened.as_ref().map_or(Some(0), Opened::batches_left)
    }

    /// The samples of the last batch of a pass; `None` when the sampler is endless, and when there is none.
    pub fn last_batch(&self) -> Option<u64> {
        self.opened.as_ref().and_then(Opened::last_batch)
    }

    /// Where the loader stands, to be saved and given to [`Loader::start`] again: at the end of a pass, the beginning
    /// of the next one.
    pub fn cursor(&self) -> Cursor {
        self.opened.as_ref().map_or(Cursor::default(), Opened::cursor)
    }

    /// What the order of the samples depends on; `None` when it is closed.
    pub fn common_order(&self) -> Option<CommonOrder> {
        self.opened.as_ref().map(Opened::common_order)
    }

    /// Goes to any sample of any pass; nothing before it is read. The next batch begins there, and the last one ends
    /// with the pass. Workers, if any, begin at once.
    ///
    /// # Errors
    /// [`DataError::Cursor`] when the pass has fewer samples; [`DataError::Workers`] when no thread can be started;
    /// [`DataError::Closed`] when the command at hand does not use this loader.
    pub fn start(&mut self, cursor: Cursor) -> Result<()> {
        self.opened()?.start(cursor)
    }

    /// The next batch of the pass, or `None` at its end: `start(cursor())` then begins the next pass. A loader that
    /// was never started stands before the first sample of pass 0.
    ///
    /// # Errors
    /// [`DataError`], naming the loader and the sample. The loader stays where it is: another call tries the same
    /// batch again.
    pub fn next_batch(&mut self) -> Result<Option<BatchOf<D>>> {
        self.opened()?.next_batch()
    }

    /// Ends the workers. The loader stays where it is and starts new ones when it is used again.
    pub fn stop(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.stop();
        }
    }

    fn opened(&mut self) -> Result<&mut Opened<D>> {
        match &mut self.opened {
            Some(opened) => Ok(opened),
            None => Err(DataError::Closed { loader: self.name.clone() }.into()),
        }
    }
}
