//! Fields with the names of the expansion's own variables, and the least that a trainer can be.

use super::trainer_every_role::{Counter, Linear, Loss, Points};
use engine::prelude::*;

// case: names of locals and of methods
/// A trainer with unlucky names.
#[trainer(by_iter, priority = LOW, crate = ::engine)]
#[derive(Debug)]
pub struct Unlucky {
    #[model]
    reader: Linear,
    #[optimizer]
    builder: AdamW,
    #[scheduler]
    r#loop: Schedules,
    #[loader(train)]
    sections: Loader<Points>,
    #[loader(val)]
    writer: Loader<Points>,
    #[metric]
    each: Loss,
    #[hook]
    phase: Counter,
    #[hook]
    slot: Counter,
    #[config(default = 3)]
    r#type: u64,
    #[state]
    map: u64,
    #[transient]
    state: u64,
}

impl Steps for Unlucky {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, y): &Self::Batch, _cx: &mut Context<'_>) -> Result<Output> {
        self.state += self.r#type;
        self.map += 1;
        Ok(self.reader.forward(x).cross_entropy_for_logits(y).into())
    }
}

impl ValStep for Unlucky {
    fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.train_step(batch, cx)
    }
}

// case: the least
#[trainer(by_epoch)]
struct Least {
    #[model]
    net: Linear,
    #[optimizer]
    opt: Sgd,
    #[loader(train)]
    train: Loader<Points>,
}

impl Steps for Least {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, y): &Self::Batch, _cx: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.forward(x).cross_entropy_for_logits(y).into())
    }
}

/// They are programs.
pub fn check() {
    super::trainer_every_role::is_a_program::<Unlucky>();
    super::trainer_every_role::is_a_program::<Least>();
}
