#[path = "../../parts.rs"]
mod parts;

use engine::prelude::*;
use parts::*;

#[trainer(by_epoch)]
struct Trained {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: a train loader that may be left out
    #[loader(train)]
    train: Option<Loader<Digits>>,
}

#[trainer(by_epoch)]
struct Validated {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: an optional dataset
    #[loader(val)]
    val: Option<Digits>,
}

crate::steps!(Trained Validated);

impl ValStep for Validated {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
