//! A loader whose dataset is open: batches in order, made ahead by workers.

use crate::base::error::Result;
use crate::data::config::LoaderConfig;
use crate::data::dataset::{BatchOf, Dataset};
use crate::data::error::{DataError, caught};
use crate::data::loader::Cursor;
use crate::data::plan::Plan;
use crate::data::pool::{Pool, make};
use crate::random::{derive, tag_of};
use std::fmt;
use std::sync::Arc;

/// Gives the batches of a dataset, made ahead by worker threads if there are any.
///
/// The batches are a function of (seed, name, epoch, batch). Threads are started when the first batch is wanted,
/// live until [`Opened::stop`] or the drop, and are never waited for longer than a second then.
pub(super) struct Opened<D: Dataset> {
    name: Arc<str>,
    dataset: Arc<D>,
    plan: Plan,
    workers: usize,
    /// Batches that may be under way at once.
    ahead: u64,
    pool: Option<Pool<D>>,
    cursor: Cursor,
    /// The first batch that no worker was given yet.
    unordered: u64,
}

impl<D: Dataset> Opened<D> {
    /// Opens the dataset. `name` is the loader's in the experiment file; `seed` is the run's, and two loaders of one
    /// run draw differently because their names differ.
    ///
    /// # Errors
    /// [`DataError`] when the dataset can't be opened, is empty, or gives no batch.
    pub(super) fn open(name: &str, config: &LoaderConfig<D::Config>, seed: u64) -> Result<Self> {
        if let Some(why) = config.mistake() {
            return Err(DataError::Settings { loader: name.to_owned(), why }.into());
        }
        let why = match caught(|| D::open(&config.dataset)) {
            Ok(Ok(dataset)) => return Self::with_dataset(name, dataset, config, seed),
            Ok(Err(why)) => why,
            Err(panic) => crate::base::Error::msg(format!("the dataset panicked: {panic}")),
        };
        Err(DataError::Open { loader: name.to_owned(), why }.into())
    }

    /// As [`Opened::open`], with a dataset that is open already; `config.dataset` is not read.
    ///
    /// # Errors
    /// [`DataError`] when the dataset is empty, gives no batch, or the settings contradict each other.
    pub(super) fn with_dataset(name: &str, dataset: D, config: &LoaderConfig<D::Config>, seed: u64) -> Result<Self> {
        if let Some(why) = config.mistake() {
            return Err(DataError::Settings { loader: name.to_owned(), why }.into());
        }
        let loader: Arc<str> = name.into();
        let seed = derive(seed, "loader", tag_of(name), 0);
        Ok(Opened {
            plan: Plan::new(&loader, &dataset, config, seed)?,
            name: loader,
            dataset: Arc::new(dataset),
            workers: config.workers,
            ahead: (config.workers * config.prefetch) as u64,
            pool: None,
            cursor: Cursor::default(),
            unordered: 0,
        })
    }

    /// The data.
    pub(super) fn dataset(&self) -> &D {
        &self.dataset
    }

    /// Samples in one pass.
    pub(super) fn samples(&self) -> usize {
        self.plan.samples()
    }

    /// Batches in one pass; `None` when the sampler is endless.
    pub(super) fn batches(&self) -> Option<u64> {
        self.plan.batches()
    }

    /// Where the loader stands, to be saved and given to [`Opened::start`] again.
    pub(super) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Goes to any batch of any pass; nothing before it is read. Workers, if any, begin at once.
    ///
    /// # Errors
    /// [`DataError::Cursor`] when the pass has fewer batches; [`DataError::Workers`] when no thread can be started.
    pub(super) fn start(&mut self, cursor: Cursor) -> Result<()> {
        if let Some(batches) = self.batches()
            && cursor.batch > batches
        {
            return Err(DataError::Cursor { loader: self.name.to_string(), batch: cursor.batch, batches }.into());
        }
        self.cursor = cursor;
        self.rewind();
        Ok(self.order_ahead()?)
    }

    /// The next batch of the pass, or `None` at its end: [`Opened::start`] then begins another one. A loader that
    /// was never started stands before the first batch of epoch 0.
    ///
    /// # Errors
    /// [`DataError`], naming the loader and the sample. The loader stays where it is: another call tries the same
    /// batch again.
    pub(super) fn next_batch(&mut self) -> Result<Option<BatchOf<D>>> {
        if self.batches().is_some_and(|batches| self.cursor.batch >= batches) {
            return Ok(None);
        }
        match self.made() {
            Ok(made) => {
                self.cursor.batch += u64::from(made.is_some());
                // the workers go on while the step computes
                self.order_ahead()?;
                Ok(made)
            }
            Err(error) => {
                self.rewind();
                Err(error)
            }
        }
    }

    /// Ends the workers. The loader stays where it is and starts new ones when it is used again.
    pub(super) fn stop(&mut self) {
        self.pool = None;
        self.rewind();
    }

    /// The batch at the cursor.
    fn made(&mut self) -> Result<Option<BatchOf<D>>> {
        self.order_ahead()?;
        let Cursor { epoch, batch } = self.cursor;
        match &mut self.pool {
            Some(pool) => pool.take(&self.name, batch).map(Some),
            None => match self.plan.batch(self.dataset.as_ref(), epoch, batch)? {
                Some(samples) => make(self.dataset.as_ref(), &samples).map(Some),
                None => Ok(None),
            },
        }
    }

    /// Gives the workers as much as they may have.
    fn order_ahead(&mut self) -> Result<(), DataError> {
        if self.workers == 0 {
            return Ok(());
        }
        let pool = match &mut self.pool {
            Some(pool) => pool,
            None => self.pool.insert(Pool::start(&self.name, &self.dataset, self.workers)?),
        };
        while self.unordered < self.cursor.batch + self.ahead {
            match self.plan.batch(self.dataset.as_ref(), self.cursor.epoch, self.unordered) {
                Ok(Some(samples)) => pool.order(samples),
                Ok(None) => break,
                Err(error) => pool.fail(self.unordered, error.into()),
            }
            self.unordered += 1;
        }
        Ok(())
    }

    /// Takes back what was given out; the cursor stays.
    fn rewind(&mut self) {
        self.unordered = self.cursor.batch;
        if let Some(pool) = &mut self.pool {
            pool.forget();
        }
    }
}

impl<D: Dataset> fmt::Debug for Opened<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("name", &self.name)
            .field("cursor", &self.cursor)
            .field("workers", &self.workers)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
