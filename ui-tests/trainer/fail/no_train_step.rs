use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: no `train_step`
#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

fn main() {}
