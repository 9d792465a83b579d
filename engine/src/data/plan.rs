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
use crate::data::windows::Windows;
use crate::random::WeightTable;
use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

/// As many indices take 2 GiB.
pub(super) const AHEAD: usize = 1 << 28;

/// Which samples make which batch of a pass.
pub(super) trait Planned<D: Dataset>: Debug {
    /// Where batches begin and end.
    fn windows(&self) -> &Windows;

    /// As [`Planned::windows`], to be dealt to several processes.
    fn windows_mut(&mut self) -> &mut Windows;

    /// The samples of this process in the batch that begins here; `None` when it has none of them.
    ///
    /// # Errors
    /// When they can't be found.
    fn batch(&mut self, dataset: &D, at: Cursor) -> Result<Option<Samples>, DataError>;

    /// What the order of the samples depends on.
    fn common_order(&self, run_seed: u64, dataset: &D) -> CommonOrder;

    /// Lets go what only the samples before this place need.
    fn let_go(&mut self, dataset: &D, before: Cursor) {
        let _ = (dataset, before);
    }
}

/// The batches of every pass, found without finding those before them.
///
/// A batch is a window of the common order: the samples of pass 0, then those of pass 1, and so on. Indices and generators
/// belong to positions and not to the process that reads them.
#[derive(Debug)]
pub(super) struct Plan {
    loader: Arc<str>,
    seed: u64,
    sampler: Box<dyn SamplerConfig>,
    windows: Windows,
    /// Samples in one pass of the sampler.
    samples: usize,
    /// So many batches, from the first one on, are every pass; `None`: each pass has all, in an order of its own.
    same: Option<u64>,
    /// The order that was needed last.
    order: Option<(Pass, Order)>,
    /// What samplers make of the dataset's weights.
    table: OnceLock<Arc<WeightTable>>,
    /// The hashes of what the sampler uses of the dataset, once somebody has asked for them: they may be large.
    facts: OnceLock<Facts>,
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
        let windows = Windows {
            batch_size: config.batch_size,
            drop_last: config.drop_last,
            share: Share::ALL,
            samples: samples as u64,
            endless: sampler.endless(),
        };
        let plan = Plan {
            loader: loader.clone(),
            seed,
            sampler,
            windows,
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
        plan.windows.check(loader)?;
        Ok(plan)
    }

    /// Every pass gives the first batches of pass 0 from now on, with the same random numbers.
    ///
    /// # Errors
    /// When pass 0 has not as many.
    pub(super) fn repeat(&mut self, batches: u64) -> Result<(), DataError> {
        self.same = None;
        let all = self.samples as u64;
        (self.windows.samples, self.windows.endless) = (all, self.sampler.endless());
        let window = self.windows.window();
        let most = self.windows.batches().unwrap_or(all / window);
        if batches > most {
            return Err(DataError::Repeat { loader: self.name(), batches, most });
        }
        (self.windows.samples, self.windows.endless) = (batches.saturating_mul(window).min(all), false);
        self.same = Some(batches);
        Ok(())
    }

    /// The pass whose samples are given: the first one for all, where they are the same.
    fn pass_of(&self, at: Cursor) -> Cursor {
        if self.same.is_some() { Cursor { pass: 0, ..at } } else { at }
    }

    /// Why the batches that are to be under way at once can't be, if they can't.
    fn too_much<C>(&self, config: &LoaderConfig<C>) -> Option<String> {
        let most = match self.sampler.endless() {
            true => usize::MAX,
            false => self.samples,
        };
        let ahead = config.workers.threads().max(1).saturating_mul(config.prefetch);
        let samples = self.windows.batch_size.min(most).saturating_mul(ahead).min(most);
        (samples > AHEAD).then(|| {
            format!(
                "{samples} samples would be in memory at once: `batch_size` {} × `workers` {} × `prefetch` {}; set a smaller `batch_size`: the limit is {AHEAD} samples",
                config.batch_size, config.workers, config.prefetch
            )
        })
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

impl<D: Dataset> Planned<D> for Plan {
    fn windows(&self) -> &Windows {
        &self.windows
    }

    fn windows_mut(&mut self) -> &mut Windows {
        &mut self.windows
    }

    fn batch(&mut self, dataset: &D, at: Cursor) -> Result<Option<Samples>, DataError> {
        let Some((at, size)) = self.windows.own(at) else { return Ok(None) };
        let (at, per_pass) = (self.pass_of(at), self.windows.samples);
        let mut samples = Samples {
            loader: self.loader.clone(),
            seed: self.seed,
            at,
            batch_size: self.windows.batch_size as u64,
            per_pass,
            indices: Vec::new(),
            reading: Reading::default(),
        };
        let reserved = samples.indices.try_reserve_exact(size as usize);
        let batch_size = self.windows.batch_size;
        reserved.map_err(|_| DataError::Memory { loader: self.name(), batch_size })?;
        // the samples of one pass after those of another
        let (mut place, mut missing) = (at, size);
        while missing > 0 {
            let run = missing.min(per_pass.saturating_sub(place.sample));
            let refused = |loader, why| DataError::Sampler { loader, pass: place.pass, why };
            self.add_indices(dataset, place, run, &mut samples.indices).map_err(|why| refused(self.name(), why))?;
            missing -= run;
            place = Cursor { pass: place.pass.saturating_add(1), sample: 0 };
        }
        Ok(Some(samples))
    }

    fn common_order(&self, run_seed: u64, dataset: &D) -> CommonOrder {
        let written = || to_node(&self.sampler).map(|node| print_line(&node));
        let sampler = self.sampler.order_name().or_else(|| written().ok());
        // settings that can't be written can't be compared either: the type has to do
        let sampler = sampler.unwrap_or_else(|| format!("{:?}", self.sampler));
        CommonOrder {
            loader: self.name(),
            seed: run_seed,
            sampler: match self.same {
                None => sampler,
                Some(batches) => format!("{sampler}, the first {batches} batches again and again"),
            },
            population: dataset.len() as u64,
            samples: self.windows.samples,
            facts: self.facts.get_or_init(|| Facts::of(&population(dataset), self.sampler.uses())).clone(),
        }
    }
}

fn population<D: Dataset>(dataset: &D) -> Population<'_> {
    Population::new(dataset.len(), dataset.weights()).with_classes(dataset.classes()).with_lengths(dataset.lengths())
}
