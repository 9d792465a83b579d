//! The batches of a dataset, pass after pass.

use crate::base::error::Result;
use crate::data::common_order::CommonOrder;
use crate::data::config::LoaderConfig;
use crate::data::cursor::Cursor;
use crate::data::dataset::{BatchOf, Dataset};
use crate::data::error::DataError;
use crate::data::opened::Opened;
use crate::data::share::Share;
use tch::Device;

/// Provides the batches of a dataset. Worker threads, if there are any, read them ahead.
///
/// The batches are a function of (seed, name, position in the common order, `batch_size`). Threads are started with
/// the first batch and end at [`Loader::stop`] or when the loader is dropped, which wait at most one second for them.
///
/// A command that needs no batches of a loader does not open the loader, so that predictions need no training data.
#[derive(Debug)]
pub struct Loader<D: Dataset> {
    name: String,
    opened: Option<Opened<D>>,
}

impl<D: Dataset> Loader<D> {
    /// Opens the dataset. `name` is the name of the loader in the experiment file, and `seed` is the seed of the run.
    /// Two loaders of one run draw different numbers because their names differ.
    ///
    /// # Errors
    /// [`DataError`] when the dataset can't be opened, is empty, or has no batch.
    pub fn open(name: &str, config: &LoaderConfig<D::Config>, seed: u64) -> Result<Self> {
        Ok(Loader { name: name.to_owned(), opened: Some(Opened::open(name, config, seed)?) })
    }

    /// Like [`Loader::open`], with a dataset that is already open; `config.dataset` is not used.
    ///
    /// # Errors
    /// [`DataError`] when the dataset is empty, has no batch, or the settings contradict each other.
    pub fn with_dataset(name: &str, dataset: D, config: &LoaderConfig<D::Config>, seed: u64) -> Result<Self> {
        Ok(Loader { name: name.to_owned(), opened: Some(Opened::with_dataset(name, dataset, config, seed)?) })
    }

    /// A closed loader, for commands that do not use it.
    pub fn closed(name: &str) -> Self {
        Loader { name: name.to_owned(), opened: None }
    }

    /// The name in the experiment file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The dataset; `None` when the current command does not use this loader.
    pub fn dataset(&self) -> Option<&D> {
        self.opened.as_ref().map(Opened::dataset)
    }

    /// The dataset, for code that can't do without it.
    ///
    /// # Errors
    /// [`DataError::Closed`] when the current command does not use this loader.
    pub fn open_dataset(&self) -> Result<&D> {
        self.dataset().ok_or_else(|| DataError::Closed { loader: self.name.clone() }.into())
    }

    /// Samples in one pass; 0 when it is closed.
    pub fn samples(&self) -> usize {
        self.opened.as_ref().map_or(0, |opened| opened.samples() as usize)
    }

    /// Batches in one pass; `None` when the sampler is endless, 0 when it is closed.
    pub fn batches(&self) -> Option<u64> {
        self.opened.as_ref().map_or(Some(0), Opened::batches)
    }

    /// Remaining batches of the pass; `None` when the sampler is endless, 0 at the end of a pass and when the loader
    /// is closed.
    pub fn batches_left(&self) -> Option<u64> {
        self.opened.as_ref().map_or(Some(0), Opened::batches_left)
    }

    /// The number of samples in the last batch of a pass; `None` when the sampler is endless, and when there is no
    /// batch. Of several processes, that of the one with the fewest samples, of those that have any.
    pub fn last_batch(&self) -> Option<u64> {
        self.opened.as_ref().and_then(Opened::last_batch)
    }

    /// Reads only the part of this process of each batch from now on: a batch of `world` processes has `batch_size` samples
    /// for each of them, and process `rank` reads the part of that number. Where a batch can't be divided evenly, at the end
    /// of a pass, parts differ by one sample, and some may be empty: then [`Loader::own_samples`] is 0, and
    /// [`Loader::skip`] goes past the batch.
    ///
    /// # Errors
    /// [`DataError::NoBatch`] when `drop_last` leaves no batch for so many processes.
    pub fn deal(&mut self, rank: usize, world: usize) -> Result<()> {
        self.opened.as_mut().map_or(Ok(()), |opened| Ok(opened.deal(Share::new(rank, world))?))
    }

    /// Every pass consists of the first `batches` batches of pass 0 from now on: the same samples in the same order, also
    /// with the same random numbers of augmentations. Of several processes, the batches of all; so [`Loader::deal`] comes
    /// first.
    ///
    /// # Errors
    /// [`DataError::Repeat`] when a pass has fewer batches.
    pub fn repeat(&mut self, batches: u64) -> Result<()> {
        self.opened.as_mut().map_or(Ok(()), |opened| Ok(opened.repeat(batches)?))
    }

    /// The samples of this process in the next batch; 0 also at the end of a pass and when the loader is closed.
    pub fn own_samples(&self) -> u64 {
        self.opened.as_ref().map_or(0, Opened::own_samples)
    }

    /// The samples of the next batch, of all processes together: 0 at the end of a pass; `None` when it is closed.
    pub fn next_samples(&self) -> Option<u64> {
        self.opened.as_ref().map(Opened::next_samples)
    }

    /// The samples of the last batch of a pass, of all processes together; `None` when the sampler is endless, and when there
    /// is no batch.
    pub fn tail(&self) -> Option<u64> {
        self.opened.as_ref().and_then(Opened::tail)
    }

    /// The samples of a full batch, of all processes together; `None` when it is closed.
    pub fn batch_samples(&self) -> Option<u64> {
        self.opened.as_ref().map(Opened::batch_samples)
    }

    /// Goes past the next batch without reading it.
    ///
    /// # Errors
    /// As [`Loader::start`].
    pub fn skip(&mut self) -> Result<()> {
        self.opened()?.skip()
    }

    /// The position of the loader, to be saved and passed to [`Loader::start`] later. At the end of a pass it is the
    /// beginning of the next pass.
    pub fn cursor(&self) -> Cursor {
        self.opened.as_ref().map_or(Cursor::default(), Opened::cursor)
    }

    /// What the order of the samples depends on; `None` when it is closed.
    pub fn common_order(&self) -> Option<CommonOrder> {
        self.opened.as_ref().map(Opened::common_order)
    }

    /// Moves to any sample of any pass without reading the samples before it. The next batch begins there, and the
    /// last batch ends with the pass. Workers, if any, begin to read at once.
    ///
    /// # Errors
    /// [`DataError::Cursor`] when the pass has fewer samples; [`DataError::Workers`] when no thread can be started;
    /// [`DataError::Closed`] when the current command does not use this loader.
    pub fn start(&mut self, cursor: Cursor) -> Result<()> {
        self.opened()?.start(cursor)
    }

    /// The next batch of the pass, or `None` at the end of the pass; then `start(cursor())` begins the next pass. A
    /// loader that was never started begins at the first sample of pass 0.
    ///
    /// # Errors
    /// [`DataError`], which names the loader and the sample. The position does not change: another call tries the same
    /// batch again.
    pub fn next_batch(&mut self) -> Result<Option<BatchOf<D>>> {
        self.opened()?.next_batch()
    }

    /// Makes batches for this device from now on. For a CUDA device they lie in pinned memory, and with `transfer_ahead`
    /// [`Loader::bring_ahead`] copies them; on the CPU nothing is changed. Batches that were read ahead are read again.
    pub fn transfer_to(&mut self, device: Device) {
        if let Some(opened) = &mut self.opened {
            opened.transfer_to(device);
        }
    }

    /// Begins to copy the next batch to the device of [`Loader::transfer_to`], if workers have made it already and the
    /// settings say `transfer_ahead: true`. The copy runs beside what the device computes, and nothing waits for it. The
    /// position does not change: the batch counts when [`Loader::next_batch`] gives it, on the device.
    pub fn bring_ahead(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.bring_ahead();
        }
    }

    /// What has gone wrong on the way to the device and harms no data: that no memory could be pinned, or that no batch is
    /// copied ahead any more. Told once.
    pub fn notice(&mut self) -> Option<String> {
        self.opened.as_mut()?.notice()
    }

    /// Ends the workers. The position does not change; the next use of the loader starts new workers.
    pub fn stop(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.stop();
        }
    }

    /// To take a device of the caller's.
    #[cfg(test)]
    pub(super) fn opened_mut(&mut self) -> &mut Opened<D> {
        self.opened().expect("it is open")
    }

    fn opened(&mut self) -> Result<&mut Opened<D>> {
        match &mut self.opened {
            Some(opened) => Ok(opened),
            None => Err(DataError::Closed { loader: self.name.clone() }.into()),
        }
    }
}
