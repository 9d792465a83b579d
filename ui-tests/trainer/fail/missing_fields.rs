use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: no model
#[trainer(by_epoch)]
struct A {
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: no optimizer
#[trainer(by_epoch)]
struct B {
    #[model]
    net: Cnn,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: no train loader
#[trainer(by_epoch)]
struct C {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(val)]
    val: Loader<Digits>,
}

// mistake: a metric that no loader feeds
#[trainer(by_epoch)]
struct D {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    #[metric]
    loss: Loss,
}

steps!(A B C D);

impl ValStep for C {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
