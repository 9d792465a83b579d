//! Types in which the wrong trait, or too much of the right one, is named.

use engine::prelude::*;
use std::time::Instant;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Digit {
    // mistake: `Model` makes a model, and is none
    #[model]
    net: Box<dyn Model>,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: perhaps a model, and no hook
    #[hook]
    ema: Option<Cnn>,
    // mistake: a state that can be neither saved nor started from anything
    #[state]
    started: Instant,
    // mistake: a text that no file can lend
    #[config(default = "mean")]
    reduction: &'static str,
}

steps!(Digit);

#[phases]
impl Digit {
    fn after_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let _ = (&self.net, &self.ema, self.started);
        cx.say(self.reduction)
    }
}

fn is_a_program<T: engine::trainer::Build>() {}

fn main() {
    is_a_program::<Digit>();
}
