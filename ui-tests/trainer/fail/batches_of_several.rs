//! A wrong `Batch` is one mistake, however many loaders and steps there are.

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
    // mistake: the steps take texts
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
    #[loader(test)]
    test: Loader<Digits>,
}

impl Steps for Digit {
    type Batch = Vec<String>;
    fn train_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Tensor::from(batch.len() as f64).into())
    }
}

impl ValStep for Digit {
    fn val_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.train_step(batch, cx)
    }
}

impl TestStep for Digit {
    fn test_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.val_step(batch, cx)
    }
}

struct Mine;

#[trainer(by_epoch)]
struct Letter {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: the steps take what is no batch at all
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
}

impl Steps for Letter {
    type Batch = Mine;
    fn train_step(&mut self, _: &Mine, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

impl ValStep for Letter {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[trainer(by_epoch)]
struct Word {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: the images of this loader have no classes
    #[loader(val)]
    val: Loader<Images>,
}

steps!(Word);

impl ValStep for Word {
    fn val_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

fn is_a_program<T: engine::trainer::Build>() {}

fn main() {
    is_a_program::<Digit>();
    is_a_program::<Letter>();
    is_a_program::<Word>();
}
