use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
}

// mistake: steps without `train_step`
impl Steps for Digit {
    type Batch = (Tensor, Tensor);
}

impl ValStep for Digit {
    fn val_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

#[trainer(by_epoch)]
struct Letter {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    #[loader(val)]
    val: Loader<Digits>,
}

// mistake: steps without `Batch`
impl Steps for Letter {
    fn train_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

// mistake: a `val_step` that is left out
impl ValStep for Letter {}

fn is_a_program<T: engine::trainer::Build>() {}

fn main() {
    is_a_program::<Digit>();
    is_a_program::<Letter>();
}
