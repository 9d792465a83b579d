//! A module that forbids dead code: an optimizer and schedules that the trainer does not read are none.

use engine::prelude::*;

#[path = "../../parts.rs"]
pub mod parts;
use parts::{Cnn, Digits};

// case: fields that only say what the run is to own
/// A trainer.
#[trainer(by_epoch)]
pub struct Silent {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Digits>,
}

impl Steps for Silent {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let _ = &self.net;
        Ok(Output::new(Tensor::new()))
    }
}
