use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: no clock
#[trainer]
struct A {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: two clocks
#[trainer(by_epoch, by_iter)]
struct B {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: a misspelt clock
#[trainer(by_epochs, by_iter)]
struct C {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: a misspelt clock and no other
#[trainer(by_epoc)]
struct OnlyMisspelt {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: a clock with a value
#[trainer(by_iter, by_epoch = 20)]
struct D {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: a priority that is none
#[trainer(by_iter, priority = "FIRST")]
struct E {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

steps!(A B C OnlyMisspelt D E);

fn main() {}
