//! What a `macro_rules!` hands on: a wrong type is one error, at the place where it was written.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

macro_rules! trainer_of {
    ($name:ident, $model:ty, $metric:ty, $default:expr, $range:expr) => {
        #[trainer(by_epoch)]
        struct $name {
            #[model]
            net: $model,
            #[optimizer]
            opt: AdamW,
            #[loader(train)]
            train: Loader<Digits>,
            #[loader(val)]
            val: Loader<Digits>,
            #[metric]
            loss: $metric,
            #[config(default = $default, range = $range)]
            most: u64,
        }
        steps!($name);
        impl ValStep for $name {
            fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
                let _ = (&self.net, self.most);
                Ok(Output::new(Tensor::new()))
            }
        }
    };
}

trainer_of!(Right, Cnn, Loss, 3, 1..=8);
// mistake: a dataset for a model
trainer_of!(A, Digits, Loss, 3, 1..=8);
// mistake: a model for a metric
trainer_of!(B, Cnn, Cnn, 3, 1..=8);
// mistake: in a box
trainer_of!(C, Box<Cnn>, Loss, 3, 1..=8);
// mistake: outside of the range
trainer_of!(D, Cnn, Loss, 9, 1..=8);

fn main() {}
