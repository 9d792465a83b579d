use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

struct Mine;

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    // mistake: no model
    #[model]
    teacher: Mine,
    // mistake: no optimizer
    #[optimizer]
    opt: Mine,
    // mistake: no schedules
    #[scheduler]
    schedule: Mine,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: no loader
    #[loader(val)]
    val: Vec<Tensor>,
    // mistake: no metric
    #[metric]
    loss: Mine,
    // mistake: no hook
    #[hook]
    ema: Mine,
    // mistake: no setting
    #[config]
    settings: Mine,
    // mistake: a state that can't be saved
    #[state]
    state: Mine,
    // mistake: nothing to start from
    #[transient]
    scratch: Mine2,
}

struct Mine2;

impl Default for Mine {
    fn default() -> Self {
        Mine
    }
}

steps!(Digit);

impl ValStep for Digit {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
