//! Learns a new question, is this digit even or odd, from a few images, with the layers of a network that has learned to read
//! digits.
//!
//! The experiment file brings the weights in under other names, freezes them, and gives each layer a learning rate of its
//! own; the hook `Thaw` frees them later. `data` has the images, `model` the network.

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

/// Trains frozen parameters from an epoch on. A checkpoint holds which parameters are frozen, so that a resumed run goes on
/// with them.
#[hook]
pub struct Thaw {
    /// The parameters, by a pattern of their names.
    #[config(example = "backbone.*")]
    parameters: String,
    /// The first epoch in which they are trained, counted from 0.
    #[config(example = 5)]
    epoch: u64,
}

#[phases]
impl Thaw {
    fn before_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.epoch().get() == self.epoch {
            cx.model("net")?.unfreeze(&self.parameters)?;
            cx.say(&format!("`{}` is trained from now on", self.parameters))?;
        }
        Ok(())
    }
}

engine::main!(Finetune);
engine::check_experiments!("experiments/*.ron");
