//! Names of types that are not found within `<…>`: the compiler tells of each once.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Classifier {
    #[model]
    net: Cnn,
    #[optimizer]
    // mistake: a trait
    opt: Box<dyn Optimiser>,
    #[loader(train)]
    // mistake: a dataset
    train: Loader<Digts>,
    #[hook]
    // mistake: a hook
    ema: Option<EmaHook>,
    #[config]
    // mistake: a setting
    sizes: Vec<Sizes>,
    #[state]
    // mistake: a state
    seen: Option<Seen>,
    #[transient]
    // mistake: what is not saved
    scratch: Option<Tenser>,
}

steps!(Classifier);

fn main() {}
