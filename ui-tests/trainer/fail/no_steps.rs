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
    // mistake: a val loader and no `val_step`
    #[loader(val)]
    val: Loader<Digits>,
    // mistake: a test loader and no `test_step`
    #[loader(test)]
    test: Loader<Digits>,
    // mistake: a predict loader and no `predict_step`
    #[loader(predict)]
    predict: Loader<Images>,
    #[metric]
    loss: Loss,
}

steps!(Digit);

fn main() {}
