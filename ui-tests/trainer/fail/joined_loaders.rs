//! The batch of several train loaders is the tuple of theirs, in the order of the fields.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Alone {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: the step takes the batches of one of them
    #[loader(train)]
    digits: Loader<Digits>,
    #[loader(train)]
    images: Loader<Images>,
}

steps!(Alone);

#[trainer(by_epoch)]
struct Swapped {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: the step takes them in another order
    #[loader(train)]
    digits: Loader<Digits>,
    #[loader(train)]
    images: Loader<Images>,
    // nothing follows from it here
    #[loader(val)]
    val: Loader<Images>,
}

impl Steps for Swapped {
    type Batch = (Tensor, (Tensor, Tensor));
    fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

impl ValStep<Tensor> for Swapped {
    fn val_step(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[trainer(by_epoch)]
struct Blind {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    digits: Loader<Digits>,
    #[loader(train)]
    images: Loader<Images>,
    #[loader(val)]
    val_digits: Loader<Digits>,
    // mistake: no step takes images alone
    #[loader(val)]
    val_images: Loader<Images>,
}

impl Steps for Blind {
    type Batch = ((Tensor, Tensor), Tensor);
    fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

impl ValStep<(Tensor, Tensor)> for Blind {
    fn val_step(&mut self, _: &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
