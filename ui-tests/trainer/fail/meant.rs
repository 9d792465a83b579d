//! Roles and types whose meaning is clear.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Classifier {
    // mistake: the trait of another library
    #[model]
    net: Box<dyn Module>,
    #[optimizer]
    opt: AdamW,
    // mistake: a key before the word
    #[loader(split = train)]
    train: Loader<Digits>,
    // mistake: a text
    #[loader(split = "val")]
    val: Loader<Digits>,
    // mistake: any dataset
    #[loader(test)]
    test: Loader<dyn Dataset>,
    // mistake: a role that is half typed
    #[lo]
    more: Loader<Digits>,
}

steps!(Classifier);

impl ValStep for Classifier {
    fn val_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(batch.0.apply(&self.net.hidden)))
    }
}

#[trainer(by_epoch)]
struct Gan {
    #[model]
    critic: Cnn,
    #[model]
    generator: Cnn,
    #[optimizer(critic)]
    opt_c: AdamW,
    // mistake: a borrowed model
    #[model]
    encoder: &Cnn,
    // mistake: which model is the only one that is left
    #[optimizer]
    opt_g: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

steps!(Gan);

fn main() {}
