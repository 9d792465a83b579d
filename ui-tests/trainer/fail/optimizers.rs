use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_iter)]
struct Gan {
    #[model]
    net: Cnn,
    #[model]
    disc: Cnn,
    // mistake: a misspelt model
    #[optimizer(nett)]
    opt_a: AdamW,
    // mistake: a model twice
    #[optimizer(disc, disc)]
    opt_b: AdamW,
    // mistake: no models, and there are other optimizers
    #[optimizer]
    opt_c: AdamW,
    // mistake: a text where names are expected
    #[optimizer("net")]
    opt_d: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

steps!(Gan);

fn main() {}
