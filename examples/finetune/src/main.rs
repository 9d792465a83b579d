//! Learns a new question, is this digit even or odd, from a few images, with the layers of a network that has learned to read
//! digits.
//!
//! The experiment file brings the weights in under other names, freezes them, and gives each layer a learning rate of its
//! own; the hook `Freeze` trains them again later. `data` has the images, `model` the network.

pub mod data;
pub mod model;

use data::Parity;
use engine::prelude::*;
use model::Cnn;

/// The trainer: what an experiment has to describe, field by field.
#[trainer(by_epoch)]
pub struct Finetune {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Parity>,
    #[loader(val)]
    val: Loader<Parity>,
    #[metric]
    accuracy: Accuracy,
}

impl Steps for Finetune {
    /// Images `[n, 1, 8, 8]` in 0 to 1, classes `[n]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (images, classes): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.forward(images).cross_entropy_for_logits(classes).into())
    }
}

impl ValStep for Finetune {
    fn val_step(&mut self, (images, classes): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(images);
        Ok(Output::new(logits.cross_entropy_for_logits(classes)).tensor("logits", &logits).tensor("target", classes))
    }
}

engine::main!(Finetune);
engine::check_experiments!("experiments/*.ron");
