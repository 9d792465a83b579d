//! A module that forbids dead code: an optimizer and schedules that the trainer does not read are none.

use crate::trainer_no_prelude::{Data, Net};
use engine::prelude::*;

// case: fields that only say what the run is to own
/// A trainer.
#[trainer(by_epoch)]
pub struct Silent {
    #[model]
    net: Net,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Data>,
}

impl Steps for Silent {
    type Batch = Tensor;
    fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let _ = &self.net;
        Ok(Output::new(Tensor::new()))
    }
}
