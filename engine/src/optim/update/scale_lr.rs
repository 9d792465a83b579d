//! Learning rates that grow with the number of samples of an update.

use crate::base::Result;
use crate::optim::error::OptimError;
use crate::optim::update::{PassBatches, Updates};
use engine_macros::component;

/// `scale_lr: (base_batch: 256)`: the linear rule of Goyal et al. 2017 (<https://arxiv.org/abs/1706.02677>): a learning rate
/// that was chosen for updates of `base_batch` samples is multiplied by the samples of an update / `base_batch`.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub struct ScaleLr {
    /// The samples of an update for which the learning rates of the file were chosen.
    #[config(example = 256, range = 1..)]
    pub base_batch: u64,
}

/// By what the learning rates of an optimizer were multiplied.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledLr {
    /// The optimizer.
    pub optimizer: String,
    /// The batches of one of its updates.
    pub accumulate: u64,
    /// What its learning rates were multiplied by.
    pub factor: f64,
}

impl Updates {
    /// Multiplies the learning rates of the file, which schedules begin from, for batches of so many samples, of all ranks
    /// together. An optimizer that takes part in several passes goes by the first of them. To be called after
    /// [`Updates::set_passes`], once, and before states are loaded.
    ///
    /// # Errors
    /// When a learning rate is no longer finite.
    pub fn scale_initial_lr(&mut self, scale: ScaleLr, batch: u64) -> Result<Vec<ScaledLr>, OptimError> {
        let mut told: Vec<ScaledLr> = Vec::new();
        let mut at_hand = 1;
        for pass in &self.passes {
            let accumulate = match pass.plan.batches {
                PassBatches::Fresh => pass.plan.accumulate,
                PassBatches::Same => at_hand,
            };
            at_hand = accumulate;
            for optimizer in &pass.optimizers {
                let optimizer = &mut self.optimizers[*optimizer];
                if told.iter().any(|told| told.optimizer == optimizer.name()) {
                    continue;
                }
                let factor = batch as f64 * accumulate as f64 / scale.base_batch as f64;
                let name = optimizer.name().to_owned();
                for group in optimizer.groups_mut() {
                    if let Some(initial) = group.settings().initial("lr") {
                        group.settings_mut().set_initial("lr", initial * factor)?;
                    }
                }
                told.push(ScaledLr { optimizer: name, accumulate, factor });
            }
        }
        Ok(told)
    }
}
