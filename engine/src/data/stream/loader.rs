//! The batches of a stream.

use crate::base::error::{Error, ErrorContext as _, Result};
use crate::base::state::StateValue;
use crate::data::collate::Collate;
use crate::data::common_order::CommonOrder;
use crate::data::cursor::Cursor;
use crate::data::error::DataError;
use crate::data::opened::{Ahead, Opened, opened, own_seed};
use crate::data::share::Share;
use crate::data::source::{BatchSource, Source};
use crate::data::stream::config::StreamLoaderConfig;
use crate::data::stream::feed::{Feed, Shelf};
use crate::data::stream::traits::RecordStream;
use crate::data::transfer::TransferConfig;
use crate::data::windows::Windows;
use std::sync::Arc;
use tch::Device;

/// Provides the batches of a stream, as [`Loader`](crate::data::Loader) those of a dataset: `#[loader(train)] train:
/// StreamLoader<Lines>`.
///
/// One thread reads the records in order, and the workers make samples of them. When the stream is at its end, the loader
/// begins it again. A pass is as many samples as the setting `samples` says; without it a pass never ends.
///
/// With several processes each of them reads all records, and makes samples only of those of its own part.
#[derive(Debug)]
pub struct StreamLoader<S: RecordStream> {
    name: String,
    opened: Option<Opened<Shelf<S>, Feed<S>>>,
}

/// The batches of a stream loader.
type BatchOf<S> = <<S as RecordStream>::Item as Collate>::Batch;

impl<S: RecordStream> StreamLoader<S> {
    /// Opens the stream. `name` is the name of the loader in the experiment file, and `seed` is the seed of the run.
    ///
    /// # Errors
    /// [`DataError`] when the stream can't be opened, or the settings contradict each other.
    pub fn open(name: &str, config: &StreamLoaderConfig<S::Config>, seed: u64) -> Result<Self> {
        if let Some(why) = config.mistake() {
            return Err(DataError::Settings { loader: name.to_owned(), why }.into());
        }
        let stream = opened(name, || S::open(&config.dataset))?;
        let windows = Windows {
            batch_size: config.batch_size,
            drop_last: config.drop_last,
            share: Share::ALL,
            samples: config.samples.unwrap_or(u64::MAX),
            endless: config.samples.is_none(),
        };
        let (shelf, loader) = (Shelf::new(stream, config.buffer), Arc::from(name));
        let feed = Feed::new(&loader, own_seed(name, seed), windows, config.buffer, &shelf)?;
        let StreamLoaderConfig { workers, prefetch, timeout, pin_memory, transfer_ahead, .. } = *config;
        let transfer = TransferConfig { pin_memory, ahead: transfer_ahead };
        let ahead = Ahead { workers, prefetch, timeout, transfer };
        Ok(StreamLoader { name: name.to_owned(), opened: Some(Opened::new(name, shelf, feed, &ahead, seed)) })
    }

    /// A closed loader, for commands that do not use it.
    pub fn closed(name: &str) -> Self {
        StreamLoader { name: name.to_owned(), opened: None }
    }

    /// The name in the experiment file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stream; `None` when the current command does not use this loader.
    pub fn stream(&self) -> Option<&S> {
        self.opened.as_ref().map(|opened| &opened.dataset().stream)
    }

    fn opened(&mut self) -> Result<&mut Opened<Shelf<S>, Feed<S>>> {
        match &mut self.opened {
            Some(opened) => Ok(opened),
            None => Err(DataError::Closed { loader: self.name.clone() }.into()),
        }
    }
}

impl<S: RecordStream> Source for StreamLoader<S> {
    fn start(&mut self, cursor: Cursor) -> Result<()> {
        let opened = self.opened()?;
        // the next pass goes on with the next record
        if cursor != opened.cursor() {
            opened.plan_mut().count_from_the_beginning();
        }
        opened.start(cursor)
    }

    fn place(&self) -> Option<StateValue> {
        self.opened.as_ref().map(|opened| opened.plan().place(opened.cursor()))
    }

    fn start_at(&mut self, cursor: Cursor, place: Option<StateValue>) -> Result<()> {
        let Some(place) = place else { return self.start(cursor) };
        let wrong = format!("the place of loader `{}` can't be taken back", self.name);
        let opened = self.opened()?;
        opened.stop();
        opened.plan_mut().go_on(cursor, place).context(wrong)?;
        opened.start(cursor)
    }

    fn cursor(&self) -> Cursor {
        self.opened.as_ref().map_or(Cursor::default(), Opened::cursor)
    }

    fn batches(&self) -> Option<u64> {
        self.opened.as_ref().map_or(Some(0), Opened::batches)
    }

    fn batches_left(&self) -> Option<u64> {
        self.opened.as_ref().map_or(Some(0), Opened::batches_left)
    }

    fn last_batch(&self) -> Option<u64> {
        self.opened.as_ref().and_then(Opened::last_batch)
    }

    fn common_order(&self) -> Option<CommonOrder> {
        self.opened.as_ref().map(Opened::common_order)
    }

    fn stop(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.stop();
        }
    }

    fn deal(&mut self, rank: usize, world: usize) -> Result<()> {
        self.opened.as_mut().map_or(Ok(()), |opened| Ok(opened.deal(Share::new(rank, world))?))
    }

    fn repeat(&mut self, _: u64) -> Result<()> {
        Err(Error::msg(format!(
            "loader `{}` reads a stream, which goes on with its next record and does not give a batch twice; a loader of a dataset does",
            self.name
        )))
    }

    fn own_samples(&self) -> Option<u64> {
        Some(self.opened.as_ref().map_or(0, Opened::own_samples))
    }

    fn next_samples(&self) -> Option<u64> {
        self.opened.as_ref().map(Opened::next_samples)
    }

    fn batch_samples(&self) -> Option<u64> {
        self.opened.as_ref().map(Opened::batch_samples)
    }

    fn tail(&self) -> Option<u64> {
        self.opened.as_ref().and_then(Opened::tail)
    }

    fn skip(&mut self) -> Result<()> {
        self.opened()?.skip()
    }

    fn transfer_to(&mut self, device: Device) {
        if let Some(opened) = &mut self.opened {
            opened.transfer_to(device);
        }
    }

    fn bring_ahead(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.bring_ahead();
        }
    }

    fn notice(&mut self) -> Option<String> {
        self.opened.as_mut()?.notice()
    }
}

impl<S: RecordStream> BatchSource<BatchOf<S>> for StreamLoader<S> {
    fn next_batch(&mut self) -> Result<Option<BatchOf<S>>> {
        self.opened()?.next_batch()
    }
}
