//! A `#[model]` field is a model, and neither a part of one nor something around it.

use engine::prelude::*;
use std::sync::Arc;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

macro_rules! trainers {
    ($($name:ident)*) => { $(
        impl Steps for $name {
            type Batch = (Tensor, Tensor);
            fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
                let _ = &self.net;
                Ok(Output::new(Tensor::new()))
            }
        }
    )* };
}

#[trainer(by_epoch)]
struct A {
    // mistake: a layer
    #[model]
    net: nn::Linear,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
struct B {
    // mistake: layers
    #[model]
    net: nn::Sequential,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
struct C {
    // mistake: in a box
    #[model]
    net: Box<Cnn>,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
struct D {
    // mistake: perhaps
    #[model]
    net: Option<Cnn>,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
struct E {
    // mistake: several
    #[model]
    net: Vec<Cnn>,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
struct F {
    // mistake: shared
    #[model]
    net: Arc<Cnn>,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
struct G {
    // mistake: a tensor
    #[model]
    net: Tensor,
    // mistake: an optimizer without a box
    #[optimizer]
    opt: dyn Optimizer,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
struct H {
    // mistake: its settings
    #[model]
    net: CnnConfig,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

trainers!(A B C D E F G H);

fn main() {}
