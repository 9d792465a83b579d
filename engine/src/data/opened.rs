//! A loader whose dataset is open: batches in order, made ahead by workers.

use crate::base::error::Result;
use crate::data::common_order::CommonOrder;
use crate::data::config::LoaderConfig;
use crate::data::cursor::Cursor;
use crate::data::dataset::{BatchOf, Dataset};
use crate::data::error::{DataError, caught};
use crate::data::plan::{Plan, Planned};
use crate::data::pool::{Pool, make};
use crate::data::share::Share;
use crate::data::transfer::{Transfer, TransferConfig};
use crate::data::workers::{Waits, Workers};
use crate::random::{derive, tag_of};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tch::Device;

/// Gives the batches of a dataset, made ahead by worker threads if there are any.
///
/// The batches are a function of (seed, name, position in the common order, `batch_size`). Threads are started when the first batch is wanted,
/// live until [`Opened::stop`] or the drop, and are never waited for longer than a second then.
pub(super) struct Opened<D: Dataset, P = Plan> {
    name: Arc<str>,
    dataset: Arc<D>,
    plan: P,
    workers: Workers,
    /// How long a batch of the workers is waited for.
    timeout: Option<Duration>,
    /// Batches that may be under way at once, and the most of them: with `Auto` the former grows.
    ahead: u64,
    most_ahead: u64,
    waits: Waits,
    pool: Option<Pool<D>>,
    transfer: Transfer,
    run_seed: u64,
    /// Behind the batch that was given last; at the end of a pass, that end.
    at: Cursor,
    /// The batches given since the loader was started: the turn of the next one.
    turn: u64,
    /// Where the first batch begins that no worker was given yet, and its turn.
    ahead_at: Cursor,
    ahead_turn: u64,
}

/// How samples are read, whatever they are.
pub(super) struct Ahead {
    /// Threads that read samples.
    pub(super) workers: Workers,
    /// Batches that each of them keeps ready.
    pub(super) prefetch: usize,
    /// Seconds for which a batch of the workers is waited for.
    pub(super) timeout: Option<f64>,
    /// How batches come to a CUDA device.
    pub(super) transfer: TransferConfig,
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
        let dataset = opened(name, || D::open(&config.dataset))?;
        Self::with_dataset(name, dataset, config, seed)
    }

    /// As [`Opened::open`], with a dataset that is open already; `config.dataset` is not read.
    ///
    /// # Errors
    /// [`DataError`] when the dataset is empty, gives no batch, or the settings contradict each other.
    pub(super) fn with_dataset(name: &str, dataset: D, config: &LoaderConfig<D::Config>, seed: u64) -> Result<Self> {
        if let Some(why) = config.mistake() {
            return Err(DataError::Settings { loader: name.to_owned(), why }.into());
        }
        let plan = Plan::new(&name.into(), &dataset, config, own_seed(name, seed))?;
        let LoaderConfig { workers, prefetch, timeout, pin_memory, transfer_ahead, .. } = *config;
        let transfer = TransferConfig { pin_memory, ahead: transfer_ahead };
        Ok(Opened::new(name, dataset, plan, &Ahead { workers, prefetch, timeout, transfer }, seed))
    }

    /// Every pass gives the first batches of pass 0 from now on.
    ///
    /// # Errors
    /// [`DataError::Repeat`] when there are not as many.
    pub(super) fn repeat(&mut self, batches: u64) -> Result<(), DataError> {
        self.plan.repeat(batches)?;
        self.rewind();
        Ok(())
    }
}

/// What a user's `open` gives.
///
/// # Errors
/// Its error or panic, with the loader's name.
pub(super) fn opened<T>(name: &str, open: impl FnOnce() -> Result<T>) -> Result<T> {
    let why = match caught(open) {
        Ok(Ok(data)) => return Ok(data),
        Ok(Err(why)) => why,
        Err(panic) => crate::base::Error::msg(format!("the dataset panicked: {panic}")),
    };
    Err(DataError::Open { loader: name.to_owned(), why }.into())
}

/// The seed of a loader, by its name and the run's seed.
pub(super) fn own_seed(name: &str, seed: u64) -> u64 {
    derive(seed, "loader", tag_of(name), 0)
}

impl<D: Dataset, P: Planned<D>> Opened<D, P> {
    /// A dataset with a plan of its batches; `seed` is the run's.
    pub(super) fn new(name: &str, dataset: D, plan: P, ahead: &Ahead, seed: u64) -> Self {
        let most_ahead = (ahead.workers.threads() * ahead.prefetch) as u64;
        Opened {
            plan,
            name: name.into(),
            dataset: Arc::new(dataset),
            workers: ahead.workers,
            timeout: ahead.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            ahead: if ahead.workers == Workers::Auto { ahead.prefetch as u64 } else { most_ahead },
            most_ahead,
            waits: Waits::default(),
            pool: None,
            transfer: Transfer::new(ahead.transfer),
            run_seed: seed,
            at: Cursor::default(),
            turn: 0,
            ahead_at: Cursor::default(),
            ahead_turn: 0,
        }
    }

    /// The plan of the batches.
    pub(super) fn plan(&self) -> &P {
        &self.plan
    }

    /// As [`Opened::plan`], to be told where to go on.
    pub(super) fn plan_mut(&mut self) -> &mut P {
        &mut self.plan
    }

    /// The data.
    pub(super) fn dataset(&self) -> &D {
        &self.dataset
    }

    /// Samples in one pass.
    pub(super) fn samples(&self) -> u64 {
        self.plan.windows().samples
    }

    /// Batches in one pass; `None` when the sampler is endless.
    pub(super) fn batches(&self) -> Option<u64> {
        self.plan.windows().batches()
    }

    /// The samples of the last batch of a pass.
    pub(super) fn last_batch(&self) -> Option<u64> {
        self.plan.windows().last_batch()
    }

    /// Samples of a full batch, of all processes.
    pub(super) fn batch_samples(&self) -> u64 {
        self.plan.windows().window()
    }

    /// The samples of the last batch of a pass, of all processes.
    pub(super) fn tail(&self) -> Option<u64> {
        self.plan.windows().tail()
    }

    /// Batches that the pass still has; `None` when the sampler is endless.
    pub(super) fn batches_left(&self) -> Option<u64> {
        self.plan.windows().batches_left(self.at)
    }

    /// Reads only the part of this process of each batch from now on.
    ///
    /// # Errors
    /// [`DataError::NoBatch`] when there is none for so many processes.
    pub(super) fn deal(&mut self, share: Share) -> Result<(), DataError> {
        self.plan.windows_mut().share = share;
        self.plan.windows().check(&self.name)?;
        self.rewind();
        Ok(())
    }

    /// The samples of this process in the next batch; 0 also at the end of the pass.
    pub(super) fn own_samples(&self) -> u64 {
        self.plan.windows().own_samples(self.at)
    }

    /// The samples of all processes in the next batch; 0 at the end of the pass.
    pub(super) fn next_samples(&self) -> u64 {
        self.plan.windows().size_at(self.at)
    }

    /// Goes past a batch of which this process has no sample.
    ///
    /// # Errors
    /// Those of workers that can't be started.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.at = self.plan.windows().behind(self.at);
        self.turn += 1;
        self.plan.let_go(&self.dataset, self.at);
        Ok(self.order_ahead()?)
    }

    /// Where the next batch begins, in this pass or at the start of the next one.
    pub(super) fn cursor(&self) -> Cursor {
        self.plan.windows().next_begin(self.at)
    }

    /// What the order of the samples depends on.
    pub(super) fn common_order(&self) -> CommonOrder {
        self.plan.common_order(self.run_seed, self.dataset.as_ref())
    }

    /// Goes to any sample of any pass; nothing before it is read. Workers, if any, begin at once.
    ///
    /// # Errors
    /// [`DataError::Cursor`] when the pass has fewer samples; [`DataError::Workers`] when no thread can be started.
    pub(super) fn start(&mut self, cursor: Cursor) -> Result<()> {
        let samples = self.samples();
        if cursor.sample > samples {
            return Err(DataError::Cursor { loader: self.name.to_string(), sample: cursor.sample, samples }.into());
        }
        self.at = cursor;
        self.plan.let_go(&self.dataset, cursor);
        self.rewind();
        Ok(self.order_ahead()?)
    }

    /// The next batch of the pass, or `None` at its end, and where this process has no sample of the batch: [`Opened::start`]
    /// then begins another pass, or [`Opened::skip`] goes past the batch. A loader that
    /// was never started stands before the first sample of pass 0.
    ///
    /// # Errors
    /// [`DataError`], naming the loader and the sample. The loader stays where it is: another call tries the same
    /// batch again.
    pub(super) fn next_batch(&mut self) -> Result<Option<BatchOf<D>>> {
        // also where other processes have all samples of the batch: nobody makes it here
        if self.own_samples() == 0 {
            return Ok(None);
        }
        match self.made() {
            Ok(made) => {
                if made.is_some() {
                    self.at = self.plan.windows().behind(self.at);
                    self.turn += 1;
                    self.plan.let_go(&self.dataset, self.at);
                }
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

    /// Makes batches for this device from now on, as the settings say.
    pub(super) fn transfer_to(&mut self, device: Device) {
        self.stop();
        self.transfer.go_to(device);
    }

    /// Begins to copy the next batch to the device, if it is there already and the settings ask for it.
    pub(super) fn bring_ahead(&mut self) {
        if let Some(pool) = &mut self.pool
            && self.transfer.wants(self.turn)
            && let Some(batch) = pool.ready(self.turn)
        {
            self.transfer.begin(self.turn, batch);
        }
    }

    /// What has gone wrong on the way to the device without harm to the data, once.
    pub(super) fn notice(&mut self) -> Option<String> {
        self.transfer.notice().map(|notice| format!("loader `{}`: {notice}", self.name))
    }

    /// With a way to the device of the caller's.
    #[cfg(test)]
    pub(super) fn set_transfer(&mut self, transfer: Transfer) {
        self.transfer = transfer;
    }

    /// Ends the workers. The loader stays where it is and starts new ones when it is used again.
    pub(super) fn stop(&mut self) {
        self.pool = None;
        self.rewind();
    }

    /// The batch that begins where the loader stands.
    fn made(&mut self) -> Result<Option<BatchOf<D>>> {
        self.order_ahead()?;
        match &mut self.pool {
            Some(pool) => {
                let waited = !pool.is_ready(self.turn);
                if self.waits.note(waited, self.ahead) {
                    self.ahead = (self.ahead + 1).min(self.most_ahead);
                }
                let mut batch = pool.take(&self.name, self.turn, self.timeout)?;
                self.transfer.arrive(self.turn, &mut batch)?;
                Ok(Some(batch))
            }
            None => match self.plan.batch(self.dataset.as_ref(), self.at)? {
                Some(samples) => {
                    make(self.dataset.as_ref(), &samples, self.transfer.pins().map(AsRef::as_ref)).map(Some)
                }
                None => Ok(None),
            },
        }
    }

    /// Gives the workers as much as they may have.
    fn order_ahead(&mut self) -> Result<(), DataError> {
        if !self.workers.are_any() {
            return Ok(());
        }
        let pool = match &mut self.pool {
            Some(pool) => pool,
            None => {
                let pins = self.transfer.pins();
                self.pool.insert(Pool::start(&self.name, &self.dataset, self.workers.threads(), pins)?)
            }
        };
        while self.ahead_turn < self.turn + self.ahead {
            if self.plan.windows().batches_left(self.ahead_at) == Some(0) {
                break;
            }
            match self.plan.batch(self.dataset.as_ref(), self.ahead_at) {
                Ok(Some(samples)) => pool.order(self.ahead_turn, samples),
                // other processes have all of it
                Ok(None) => {}
                Err(error) => pool.fail(self.ahead_turn, error.into()),
            }
            self.ahead_at = self.plan.windows().behind(self.ahead_at);
            self.ahead_turn += 1;
        }
        Ok(())
    }

    /// Takes back what was given out; the position stays.
    fn rewind(&mut self) {
        self.turn = 0;
        (self.ahead_at, self.ahead_turn) = (self.at, 0);
        if let Some(pool) = &mut self.pool {
            pool.forget();
        }
        self.transfer.forget();
    }
}

impl<D: Dataset, P: Planned<D>> fmt::Debug for Opened<D, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("name", &self.name)
            .field("cursor", &self.cursor())
            .field("workers", &self.workers)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
