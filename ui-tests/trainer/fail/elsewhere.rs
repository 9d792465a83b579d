//! Words of other engines, and what the experiment says here.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[hook]
struct Watch {}

#[phases]
impl Watch {
    fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: how long
#[trainer(by_epoch, max_epochs = 10)]
struct A {
    // mistake: the model by another name
    #[network]
    net: Cnn,
    // mistake: the rate of an optimizer
    #[optimizer(lr = 0.1)]
    opt: AdamW,
    // mistake: a setting of a loader
    #[loader(train, shuffle = true)]
    train: Loader<Digits>,
    // mistake: another of its settings
    #[loader(val, batch_size = 8)]
    val: Loader<Digits>,
    // mistake: a callback
    #[callback]
    watch: Watch,
    // mistake: schedules
    #[lr_scheduler]
    schedule: Schedules,
}

// mistake: the rate
#[trainer(by_epoch, lr = 0.1)]
struct B {
    #[model]
    net: Cnn,
    // mistake: the rate behind the name of a model
    #[optimizer(net, lr = 0.1)]
    opt: AdamW,
    // mistake: data
    #[dataloader(train)]
    train: Loader<Digits>,
}

// mistake: callbacks
#[trainer(by_iter, callbacks = [Watch])]
struct C {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: a list of hooks
#[trainer(by_iter, hooks = [Watch])]
struct D {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: the device
#[trainer(by_iter, device = "cuda")]
struct E {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: one schedule of all
    #[scheduler]
    schedule: CosineAnnealing,
    #[loader(train)]
    train: Loader<Digits>,
}

steps!(A B C D E);

impl ValStep for A {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
