//! A file alone needs the trainer of `engine::main!`.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Classifier {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    #[config(default = 1.0)]
    temperature: f64,
}

steps!(Classifier);

// mistake: there is no `engine::main!`, but a `main` of one's own
engine::experiment!("experiments/right.ron");

fn main() {}
