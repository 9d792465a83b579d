//! An experiment beside a trainer with a mistake of its own: nothing is said of the file, which is right.

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
    // mistake: the loader has no role, and the file names it
    #[loader]
    train: Loader<Digits>,
    #[config(default = 0.0)]
    smoothing: f64,
    #[config(default = 1.0)]
    temperature: f64,
}

steps!(Classifier);

engine::main!(Classifier);
engine::experiment!("experiments/right.ron");

mod no_trainer {
    pub(super) struct Mlp;
    // mistake: a type that is no trainer
    engine::main!(Mlp);
    engine::experiment!("experiments/right.ron");
}

mod without_schedules {
    use crate::steps;
    use super::parts::*;
    use engine::prelude::*;

    #[trainer(by_epoch)]
    struct Plain {
        #[model]
        net: Cnn,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
        #[config(default = 1.0)]
        temperature: f64,
    }

    steps!(Plain);

    // mistake: the file has schedules, and the trainer has no field for them
    engine::experiment!(Plain, "experiments/schedule.ron");
    // mistake: a section in braces
    engine::experiment!(Plain, "experiments/braces.ron");
    // mistake: a loader that the trainer does not have
    engine::experiment!(Plain, "experiments/loaders.ron");
    // mistake: a setting that the dataset does not have
    engine::experiment!(Plain, "experiments/dataset.ron");
}
