//! Which samples make which batch.

use crate::base::error::Error;
use crate::config::{print_line, to_node};
use crate::data::common_order::CommonOrder;
use crate::data::config::LoaderConfig;
use crate::data::cursor::Cursor;
use crate::data::dataset::{Dataset, Reading, Samples};
use crate::data::error::{DataError, caught};
use crate::data::facts::Facts;
use crate::data::sampler::{Order, Pass, Population, SamplerConfig};
use crate::data::share::Share;
use crate::random::WeightTable;
use std::sync::{Arc, OnceLock};

/// As many indices take 2 GiB.
const AHEAD: usize = 1 << 28;

/// The batches of every pass, found without finding those before them.
///
/// A batch is a window of the common order: the samples of pass 0, then those of pass 1, and so on. Several processes
/// take windows that are larger by their number, and each reads its own part of a window. Indices and generators belong to
/// positions and not to the process that reads them. Cursors are between windows, and the same for all processes.
#[derive(Debug)]
pub(super) struct Plan {
    loader: Arc<str>,
    seed: u64,
    sampler: Box<dyn SamplerConfig>,
    batch_size: usize,
    drop_last: bool,
    /// What this process reads of each window.
    share: Share,
    /// Samples in one pass of the sampler.
    samples: usize,
    /// So many of its samples, from the first one on, are every pass; `None`: each pass has all, in an order of its own.
    same: Option<Same>,
    /// The order that was needed last.
    order: Option<(Pass, Order)>,
    /// What samplers make of the dataset's weights.
    table: OnceLock<Arc<WeightTable>>,
    /// The hashes of what the sampler uses of the dataset, once somebody has asked for them: they may be large.
    facts: OnceLock<Facts>,
}

/// The same batches in every pass: the first ones of pass 0.
#[derive(Clone, Copy, Debug)]
struct Same {
    batches: u64,
    samples: usize,
}

impl Plan {
    /// # Errors
    /// When there is no sample, or no batch.
    pub(super) fn new<D: Dataset>(
        loader: &Arc<str>,
        dataset: &D,
        config: &LoaderConfig<D::Config>,
        seed: u64,
    ) -> Result<Self, DataError> {
        let sampler = config.chosen_sampler();
        let samples = sampler.samples(&population(dataset));
        let plan = Plan {
            loader: loader.clone(),
            seed,
            sampler,
            batch_size: config.batch_size,
            drop_last: config.drop_last,
            share: Share::ALL,
            samples,
            same: None,
            order: None,
            table: OnceLock::new(),
            facts: OnceLock::new(),
        };
        if dataset.is_empty() || samples == 0 {
            return Err(DataError::Empty { loader: plan.name() });
        }
        if let Some(why) = plan.too_much(config) {
            return Err(DataError::Settings { loader: plan.name(), why });
        }
        plan.check_batches()?;
        Ok(plan)
    }

    /// Reads only this share of each window from now on.
    ///
    /// # Errors
    /// When there is no batch for so many processes.
    pub(super) fn deal(&mut self, share: Share) -> Result<(), DataError> {
        self.share = share;
        self.check_batches()
    }

    /// Every pass gives the first batches of pass 0 from now on, with the same random numbers.
    ///
    /// # Errors
    /// When pass 0 has not as many.
    pub(super) fn repeat(&mut self, batches: u64) -> Result<(), DataError> {
        self.same = None;
        let (all, window) = (self.samples as u64, self.window());
        let most = self.batches().unwrap_or(all / window);
        if batches > most {
            return Err(DataError::Repeat { loader: self.name(), batches, most });
        }
        let samples = batches.saturating_mul(window).min(all) as usize;
        self.same = Some(Same { batches, samples });
        Ok(())
    }

    fn check_batches(&self) -> Result<(), DataError> {
        let (loader, samples, batch_size) = (self.name(), self.samples(), self.batch_size);
        match (self.batches(), self.share.world()) {
            (Some(0), 1) => Err(DataError::NoBatch { loader, samples, batch_size }),
            (Some(0), world) => Err(DataError::NoBatchForRanks { loader, samples, batch_size, world }),
            _ => Ok(()),
        }
    }

    /// Samples of a full batch of all processes.
    pub(super) fn window(&self) -> u64 {
        self.share.window(self.batch_size)
    }

    /// Why the batches that are to be under way at once can't be, if they can't.
    fn too_much<C>(&self, config: &LoaderConfig<C>) -> Option<String> {
        let most = match self.sampler.endless() {
            true => usize::MAX,
            false => self.samples,
        };
        let ahead = config.workers.max(1).saturating_mul(config.prefetch);
        let samples = self.batch_size.min(most).saturating_mul(ahead).min(most);
        (samples > AHEAD).then(|| {
            format!(
                "{samples} samples would be in memory at once: `batch_size` {} × `workers` {} × `prefetch` {}; set a smaller `batch_size`: the limit is {AHEAD} samples",
                config.batch_size, config.workers, config.prefetch
            )
        })
    }

    /// Samples in one pass.
    pub(super) fn samples(&self) -> usize {
        self.same.map_or(self.samples, |same| same.samples)
    }

    /// Whether a batch can go on in the next pass.
    fn endless(&self) -> bool {
        self.same.is_none() && self.sampler.endless()
    }

    /// The pass whose samples are given: the first one for all, where they are the same.
    fn pass_of(&self, at: Cursor) -> Cursor {
        if self.same.is_some() { Cursor { pass: 0, ..at } } else { at }
    }

    /// Batches in one pass; `None` when it never ends.
    pub(super) fn batches(&self) -> Option<u64> {
        self.batches_left(Cursor::default())
    }

    /// Batches of the pass from here on; `None` when it never ends.
    pub(super) fn batches_left(&self, at: Cursor) -> Option<u64> {
        let (left, window) = ((self.samples() as u64).saturating_sub(at.sample), self.window());
        let batches = if self.drop_last { left / window } else { left.div_ceil(window) };
        (!self.endless()).then_some(batches)
    }

    /// The samples of the last batch of a pass, of the process that has the fewest of those that have any; `None` when it
    /// never ends or has no batch.
    pub(super) fn last_batch(&self) -> Option<u64> {
        self.tail().map(|samples| self.share.fewest(samples))
    }

    /// The samples of the last batch of a pass, of all processes.
    pub(super) fn tail(&self) -> Option<u64> {
        let before = self.batches()?.checked_sub(1)?.saturating_mul(self.window());
        Some((self.samples() as u64 - before).min(self.window()))
    }

    /// The samples of this process in the batch that begins here; 0 also when the pass has no further batch.
    pub(super) fn own_samples(&self, at: Cursor) -> u64 {
        self.share.of(self.size_at(at)).1
    }

    /// Behind the batch that begins here. Only the samples of an endless sampler go on in the next pass.
    pub(super) fn behind(&self, at: Cursor) -> Cursor {
        let samples = self.samples() as u64;
        let sample = at.sample.saturating_add(self.size_at(at));
        match self.endless() {
            true => Cursor { pass: at.pass.saturating_add(sample / samples), sample: sample % samples },
            false => Cursor { sample, ..at },
        }
    }

    /// Where the next batch begins: here, or at the start of the next pass when this one has no further batch.
    pub(super) fn next_begin(&self, at: Cursor) -> Cursor {
        match self.size_at(at) {
            0 => Cursor { pass: at.pass.saturating_add(1), sample: 0 },
            _ => at,
        }
    }

    /// The number of samples in the batch of all processes that begins here; 0 when the pass has no further batch.
    fn size_at(&self, at: Cursor) -> u64 {
        let (left, window) = ((self.samples() as u64).saturating_sub(at.sample), self.window());
        match self.batches_left(at) {
            None => window,
            Some(0) => 0,
            Some(_) => left.min(window),
        }
    }

    /// The samples of this process in the batch that begins here; `None` when it has none of them.
    pub(super) fn batch<D: Dataset>(&mut self, dataset: &D, at: Cursor) -> Result<Option<Samples>, DataError> {
        let (begin, size) = self.share.of(self.size_at(at));
        if size == 0 {
            return Ok(None);
        }
        // with an endless sampler the share may begin in the next pass
        let (sample, samples) = (at.sample.saturating_add(begin), self.samples() as u64);
        let at = match self.endless() {
            true => Cursor { pass: at.pass.saturating_add(sample / samples), sample: sample % samples },
            false => Cursor { sample, ..at },
        };
        let at = self.pass_of(at);
        let mut samples = Samples {
            loader: self.loader.clone(),
            seed: self.seed,
            at,
            batch_size: self.batch_size as u64,
            per_pass: self.samples() as u64,
            indices: Vec::new(),
            reading: Reading::default(),
        };
        let reserved = samples.indices.try_reserve_exact(size as usize);
        reserved.map_err(|_| DataError::Memory { loader: self.name(), batch_size: self.batch_size })?;
        // the samples of one pass after those of another
        let (mut place, mut missing) = (at, size);
        while missing > 0 {
            let run = missing.min((self.samples() as u64).saturating_sub(place.sample));
            let refused = |loader, why| DataError::Sampler { loader, pass: place.pass, why };
            self.add_indices(dataset, place, run, &mut samples.indices).map_err(|why| refused(self.name(), why))?;
            missing -= run;
            place = Cursor { pass: place.pass.saturating_add(1), sample: 0 };
        }
        Ok(Some(samples))
    }

    /// What the order of the samples depends on.
    pub(super) fn common_order<D: Dataset>(&self, run_seed: u64, dataset: &D) -> CommonOrder {
        let written = || to_node(&self.sampler).map(|node| print_line(&node));
        let sampler = self.sampler.order_name().or_else(|| written().ok());
        // settings that can't be written can't be compared either: the type has to do
        let sampler = sampler.unwrap_or_else(|| format!("{:?}", self.sampler));
        CommonOrder {
            loader: self.name(),
            seed: run_seed,
            sampler: match self.same {
                None => sampler,
                Some(Same { batches, .. }) => format!("{sampler}, the first {batches} batches again and again"),
            },
            population: dataset.len() as u64,
            samples: self.samples() as u64,
            facts: self.facts.get_or_init(|| Facts::of(&population(dataset), self.sampler.uses())).clone(),
        }
    }

    /// Adds the indices of so many samples of one pass, from a position of the common order on.
    fn add_indices<D: Dataset>(
        &mut self,
        dataset: &D,
        at: Cursor,
        count: u64,
        indices: &mut Vec<usize>,
    ) -> Result<(), Error> {
        let len = dataset.len();
        let order = self.order(dataset, Pass { seed: self.seed, number: at.pass })?;
        let (before, first) = (indices.len(), at.sample as usize);
        order.extend(first..first.saturating_add(count as usize), indices);
        let added = &indices[before..];
        let found = match added.iter().find(|index| **index >= len) {
            Some(outside) => *outside,
            None if added.len() as u64 == count => return Ok(()),
            None => usize::MAX,
        };
        Err(Error::msg(format!("`Sampler::order` returned index {found}, and the dataset has {len} samples")))
    }

    /// The order of a pass; that of the last one is kept.
    fn order<D: Dataset>(&mut self, dataset: &D, pass: Pass) -> Result<&Order, Error> {
        if !matches!(&self.order, Some((known, _)) if *known == pass) {
            // the one before goes first: two lists are twice the memory
            self.order = None;
            let order = caught(|| self.sampler.order(&population(dataset).keeping(&self.table), &pass))
                .unwrap_or_else(|panic| Err(Error::msg(format!("the sampler panicked: {panic}"))))?;
            if order.len() != self.samples {
                let text = format!(
                    "`Sampler::order` returned {} samples, and `Sampler::samples` said {}",
                    order.len(),
                    self.samples
                );
                return Err(Error::msg(text));
            }
            self.order = Some((pass, order));
        }
        match &self.order {
            Some((_, order)) => Ok(order),
            None => Err(Error::msg("the order of this pass was not computed")),
        }
    }

    fn name(&self) -> String {
        self.loader.as_ref().to_owned()
    }
}

fn population<D: Dataset>(dataset: &D) -> Population<'_> {
    Population::new(dataset.len(), dataset.weights()).with_classes(dataset.classes()).with_lengths(dataset.lengths())
}
