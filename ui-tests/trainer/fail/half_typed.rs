//! A field that is being written: the compiler tells of it, and the rest of the trainer is there.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
    // mistake: a metric without its type
    #[metric]
    loss: ,
}

steps!(Digit);

impl ValStep for Digit {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let _ = &self.net;
        Ok(Output::new(Tensor::new()))
    }
}

#[trainer(by_epoch)]
struct NoComma {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    // mistake: no comma behind the type
    train: Loader<Digits>
    #[hook]
    ema: Ema,
}

steps!(NoComma);

#[trainer(by_epoch)]
struct Colon {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: a colon in an attribute
    #[loader: val]
    val: Loader<Digits>,
}

steps!(Colon);

#[trainer(by_epoch)]
struct NoType {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: no type yet, and the steps use the field
    #[state]
    seen,
}

impl Steps for NoType {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, _: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.seen += cx.batch_size() as u64;
        Ok(Output::new(Tensor::new()).value("seen", self.seen as f64))
    }
}

engine::main!(Digit);
