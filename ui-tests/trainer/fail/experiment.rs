//! Experiment files that are looked at when the package is compiled. The files are in `experiments`.

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
    #[config(default = 0.0)]
    smoothing: f64,
    #[config(default = 1.0)]
    temperature: f64,
}

steps!(Classifier);

engine::main!(Classifier);

// nothing is wrong with this one
engine::experiment!("experiments/right.ron");
// mistake: no comma between two settings
engine::experiment!("experiments/syntax.ron");
// mistake: a misspelt section
engine::experiment!("experiments/section.ron");
// mistake: a misspelt setting of a loader
engine::experiment!("experiments/loader.ron");
// mistake: a misspelt setting of the trainer itself
engine::experiment!("experiments/own.ron");
// mistake: no such file
engine::experiment!("experiments/digts.ron");
