//! Parts with mistakes of their own, in a trainer that has none: the trainer is not blamed for them.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

struct Mine;

// mistake: a hook without phases
#[hook]
#[derive(Debug)]
struct Silent {
    #[config(default = 3)]
    keep: usize,
}

#[hook]
struct Forgetful {
    // mistake: a state that can't be saved
    #[state]
    mine: Option<Mine>,
}

#[phases]
impl Forgetful {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.mine = Some(Mine);
        Ok(())
    }
}

// mistake: a metric that measures nothing
#[component(metric)]
#[derive(Debug)]
struct Nothing {
    #[state]
    seen: u64,
}

#[component(dataset)]
struct TextConfig {
    // mistake: settings that a file can't hold
    split: Mine,
}

struct Text;

impl Dataset for Text {
    type Config = TextConfig;
    type Item = (Tensor, i64);
    fn open(_: &TextConfig) -> Result<Self> {
        Ok(Text)
    }
    fn len(&self) -> usize {
        1
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        Ok((Tensor::new(), 0))
    }
}

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Text>,
    #[loader(val)]
    val: Loader<Digits>,
    #[metric]
    nothing: Nothing,
    #[hook]
    silent: Silent,
    #[hook]
    forgetful: Option<Forgetful>,
}

steps!(Digit);

impl ValStep for Digit {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[phases]
impl Digit {
    // mistake: a phase that can't be called
    fn after_train_epoch(&self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn is_a_program<T: engine::trainer::Build>() {}

fn main() {
    is_a_program::<Digit>();
}
