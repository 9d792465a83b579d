//! A mistake in the middle of a program: the rest of the program is not blamed for it.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: the only one
#[hook(priority = "URGENT")]
#[derive(Debug)]
struct Counter {
    #[config(default = 3)]
    step: u64,
    #[state]
    count: u64,
}

#[phases]
impl Counter {
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.count += self.step;
        Ok(())
    }
}

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
    // mistake: and one in the trainer
    #[metrik]
    loss: Loss,
    #[hook]
    counter: Counter,
    // mistake: and a field without a role
    seen: u64,
}

steps!(Digit);

impl ValStep for Digit {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[phases]
impl Digit {
    fn after_train_epoch(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.seen += self.counter.count;
        let _ = (&self.net, &self.loss);
        Ok(())
    }
}

fn is_a_program<T: engine::trainer::Build>() {}

fn main() {
    is_a_program::<Digit>();
    let _ = <Counter as Hook>::NAME;
}
