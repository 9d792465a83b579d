use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[hook]
struct Counter;

#[phases]
impl Counter {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

#[trainer(by_iter)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: a hook of any type
    #[hook]
    any: Box<dyn engine::hook::AnyHook>,
    // mistake: perhaps a hook of any type
    #[hook]
    perhaps: Option<Box<dyn engine::hook::AnyHook>>,
    // mistake: the name of a hook of the engine's
    #[hook]
    logger: Counter,
}

steps!(Digit);

fn main() {}
