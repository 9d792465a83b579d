//! A trainer is no derive.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: a derive
#[derive(Trainer)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
    #[metric]
    loss: Loss,
    #[hook]
    ema: Ema,
    #[config(default = 0.1)]
    smoothing: f64,
    #[state]
    seen: u64,
}

steps!(Digit);

impl ValStep for Digit {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

engine::main!(Digit);
