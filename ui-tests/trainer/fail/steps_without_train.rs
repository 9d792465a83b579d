//! The other steps speak of `Self::Batch`, which a trainer without `train_step` has not.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

// mistake: no `impl Steps`
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
    #[loader(test)]
    test: Loader<Digits>,
}

impl ValStep for Digit {
    fn val_step(&mut self, (x, y): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        cx.log("right", x.eq_tensor(y).sum(Kind::Int64));
        Ok(Output::new(Tensor::new()))
    }
}

impl TestStep for Digit {
    fn test_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.val_step(batch, cx)
    }
}

fn is_a_program<T: engine::trainer::Build>() {}

fn main() {
    is_a_program::<Digit>();
}
