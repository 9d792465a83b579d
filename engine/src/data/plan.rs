//! Which samples make which batch.

use crate::base::error::Error;
use crate::data::config::LoaderConfig;
use crate::data::dataset::{Dataset, Samples};
use crate::data::error::{DataError, caught};
use crate::data::sampler::{Order, Pass, Population, SamplerConfig};
use std::sync::Arc;

/// The batches of every epoch, found without finding those before them.
///
/// A batch is a window of the epoch's positions. Several processes will take windows of the same positions in
/// turn, which is why orders and generators belong to positions and not to the process that reads them.
#[derive(Debug)]
pub(super) struct Plan {
    loader: Arc<str>,
    seed: u64,
    sampler: Box<dyn SamplerConfig>,
    batch_size: usize,
    drop_last: bool,
    /// Samples in one pass.
    samples: usize,
    /// The order that was needed last.
    order: Option<(Pass, Order)>,
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
            samples,
            order: None,
        };
        if dataset.is_empty() || samples == 0 {
            return Err(DataError::Empty { loader: plan.name() });
        }
        if plan.batches() == Some(0) {
            return Err(DataError::NoBatch { loader: plan.name(), samples, batch_size: plan.batch_size });
        }
        Ok(plan)
    }

    /// Samples in one pass.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// Batches in one epoch; `None` when it never ends.
    pub(super) fn batches(&self) -> Option<u64> {
        let (samples, batch_size) = (self.samples, self.batch_size);
        let batches = if self.drop_last { samples / batch_size } else { samples.div_ceil(batch_size) };
        (!self.sampler.endless()).then_some(batches as u64)
    }

    /// The samples of a batch; `None` behind the last one.
    pub(super) fn batch<D: Dataset>(
        &mut self,
        dataset: &D,
        epoch: u64,
        batch: u64,
    ) -> Result<Option<Samples>, DataError> {
        if self.batches().is_some_and(|batches| batch >= batches) {
            return Ok(None);
        }
        let first = batch.saturating_mul(self.batch_size as u64);
        let mut end = first.saturating_add(self.batch_size as u64);
        if !self.sampler.endless() {
            end = end.min(self.samples as u64);
        }
        let indices = (first..end).map(|position| self.index(dataset, epoch, position)).collect::<Result<_, _>>();
        let indices = indices.map_err(|why: Error| DataError::Sampler { loader: self.name(), epoch, why })?;
        Ok(Some(Samples { loader: self.loader.clone(), seed: self.seed, epoch, batch, first, indices }))
    }

    /// The sample at a position of the epoch.
    fn index<D: Dataset>(&mut self, dataset: &D, epoch: u64, position: u64) -> Result<usize, Error> {
        let samples = self.samples as u64;
        let pass = Pass { seed: self.seed, epoch, pass: position / samples };
        let order = match &self.order {
            Some((known, order)) if *known == pass => order,
            _ => {
                let order = caught(|| self.sampler.order(&population(dataset), &pass))
                    .unwrap_or_else(|panic| Err(Error::msg(format!("the sampler panicked: {panic}"))))?;
                if order.len() != self.samples {
                    let text = format!("`order` gave {} samples, `samples` promised {samples}", order.len());
                    return Err(Error::msg(text));
                }
                &self.order.insert((pass, order)).1
            }
        };
        let len = dataset.len();
        match order.get((position % samples) as usize) {
            Some(index) if index < len => Ok(index),
            found => Err(Error::msg(format!("`order` gave sample {} of {len}", found.unwrap_or(usize::MAX)))),
        }
    }

    fn name(&self) -> String {
        self.loader.as_ref().to_owned()
    }
}

fn population<D: Dataset>(dataset: &D) -> Population<'_> {
    Population { len: dataset.len(), weights: dataset.weights() }
}
