//! What `engine::main!` and `engine::check_experiments!` take, and where they stand.

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
}

steps!(Classifier);

mod text {
    // mistake: the name as a text
    engine::main!("Classifier");
}

mod value {
    // mistake: a value
    engine::main!(Classifier::new());
}

mod file {
    use super::Classifier;
    // mistake: an experiment
    engine::main!(Classifier, "experiment.ron");
}

// mistake: no file
engine::check_experiments!();

// mistake: a file without quotes
engine::check_experiments!(experiments);

// mistake: the trainer alone
engine::check_experiments!(Classifier);

// mistake: two patterns
engine::check_experiments!("a.ron", "b.ron");

// mistake: no file
engine::experiment!();

// mistake: a file without quotes
engine::experiment!(experiments);

// mistake: two files
engine::experiment!("a.ron", "b.ron");

fn main() {
    // mistake: within a function
    engine::main!(Classifier);
}
