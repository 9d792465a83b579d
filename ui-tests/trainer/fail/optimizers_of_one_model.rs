use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_iter)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: a second optimizer for the same weights
    #[optimizer]
    other: Sgd,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_iter)]
struct Gan {
    #[model]
    net: Cnn,
    #[model]
    disc: Cnn,
    #[optimizer(net, disc)]
    opt: AdamW,
    // mistake: a second optimizer for some of the weights
    #[optimizer(disc)]
    other: Sgd,
    #[loader(train)]
    train: Loader<Digits>,
}

steps!(Digit Gan);

fn main() {}
