//! A trainer under the attribute of something else, and twice under its own.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: a hook
#[hook]
struct A {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: a component
#[component]
struct B {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
// mistake: twice
#[trainer(by_iter)]
struct C {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
// mistake: a component besides
#[component]
struct D {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

// mistake: a hook under the attribute of a trainer
#[trainer(by_epoch)]
struct E {
    #[config(default = 3)]
    every: u64,
    #[state]
    seen: u64,
}

steps!(A B C D E);

fn main() {}
