use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    // mistake: a misspelt role
    #[optimiser]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: a loader for nothing
    #[loader]
    extra: Loader<Digits>,
    // mistake: a misspelt loader role
    #[loader(vall)]
    val: Loader<Digits>,
    // mistake: a loader role that there is not
    #[loader(calibrate)]
    calibrate: Loader<Digits>,
    // mistake: two loader roles
    #[loader(val, test)]
    test: Loader<Digits>,
    // mistake: a role with arguments
    #[model(frozen)]
    teacher: Cnn,
    // mistake: no role
    steps_done: u64,
    // mistake: two roles
    #[metric]
    #[hook]
    loss: Loss,
    // mistake: a word that is no role anywhere
    #[frozen]
    counter: u64,
    // mistake: a default outside its range
    #[config(default = 1.5, range = 0.0..1.0)]
    smoothing: f64,
    // mistake: a field that is not always there
    #[cfg(feature = "ema")]
    #[hook]
    ema: Ema,
}

steps!(Digit);

fn main() {}
