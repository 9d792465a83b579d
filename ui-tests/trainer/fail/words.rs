//! Words and types that are meant as others.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: the clock as a value
#[trainer(by = "epoch")]
struct A {
    // mistake: a borrowed model
    #[model]
    net: &'static Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: a single schedule in a box
    #[scheduler]
    schedule: Box<dyn Schedule>,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: a loader of PyTorch
    #[loader(val)]
    val: DataLoader<Digits>,
}

// mistake: the clock in quotes
#[trainer("by_epoch")]
struct B {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: a role of its own for each loader
    #[train_loader]
    train: Loader<Digits>,
}

#[trainer(by_epoch)]
// mistake: a derive that no field has
#[derive(Clone, Default)]
struct C {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: a loader under another role
    #[config]
    val: Loader<Digits>,
    // mistake: settings at the role
    #[metric(top_k = 5)]
    loss: Loss,
}

#[trainer(by_epoch)]
struct D {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: two metrics, and no loader for them
    #[metric]
    loss: Loss,
    #[metric]
    accuracy: Accuracy,
    // mistake: there is no state
    #[config(default = 1, resets_state)]
    every: u64,
}

// mistake: the model is a state
#[trainer(by_epoch)]
struct E {
    #[state]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

steps!(A B C D E);

fn main() {}
