//! Types and words that can't be meant, each told what to write.

use engine::prelude::*;

#[path = "../../parts.rs"]
#[allow(unused)]
mod parts;
use parts::*;

#[hook]
struct Guard {
    #[config(default = 1.0)]
    limit: f64,
}

#[phases]
impl Guard {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        let _ = self.limit;
        Ok(())
    }
}

#[trainer(by_epoch)]
struct Classifier {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    // mistake: a loader without its dataset
    #[loader(train)]
    train: Loader,
    // mistake: a loader with a batch size
    #[loader(val)]
    val: Loader<Digits, 32>,
    // mistake: a loader for two things
    #[loader(test, predict)]
    test: Loader<Digits>,
    // mistake: the settings of a hook
    #[hook]
    guard: GuardConfig,
    // mistake: the settings of a metric
    #[metric]
    loss: LossConfig,
}

steps!(Classifier);

impl ValStep for Classifier {
    fn val_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

impl TestStep for Classifier {
    fn test_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
