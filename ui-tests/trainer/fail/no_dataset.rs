use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

struct Mine;

#[trainer(by_epoch)]
struct Digit {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: the loader of what is no dataset
    #[loader(train)]
    train: Loader<Mine>,
    #[loader(val)]
    val: Loader<Digits>,
}

steps!(Digit);

impl ValStep for Digit {
    fn val_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

#[trainer(by_iter)]
struct Letter {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
    // mistake: and another one
    #[loader(val)]
    val: Loader<Mine>,
    // mistake: and one of prompts
    #[loader(predict)]
    prompts: Loader<Cnn>,
}

steps!(Letter);

impl ValStep for Letter {
    fn val_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

impl PredictStep for Letter {
    type Prompt = Tensor;
    fn predict_step(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new())
    }
}

fn is_a_program<T: engine::trainer::Build>() {}

fn main() {
    is_a_program::<Digit>();
    is_a_program::<Letter>();
}
