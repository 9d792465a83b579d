//! What people write who know PyTorch or Lightning.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_epoch)]
struct Chosen {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Digits>,
}

impl Steps for Chosen {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (images, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        // mistake: the loop of PyTorch
        self.opt.zero_grad();
        let loss = images.mean(Kind::Float);
        // mistake: the rest of that loop
        self.opt.step();
        // mistake: Lightning's logging
        self.log("loss", &loss);
        // mistake: its backward pass
        self.manual_backward(&loss);
        // mistake: its saving of settings
        self.save_hyperparameters();
        Ok(loss.into())
    }
}

#[trainer(by_epoch)]
struct Fixed {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Digits>,
}

impl Steps for Fixed {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (images, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        // mistake: the same with an optimizer that is fixed
        self.opt.zero_grad();
        Ok(images.mean(Kind::Float).into())
    }
}

mod traits {
    use super::*;

    #[trainer(by_epoch)]
    struct Bare {
        #[model]
        net: Cnn,
        #[optimizer]
        // mistake: a trait in the place of a type
        opt: Optimizer,
        #[loader(train)]
        train: Loader<Digits>,
    }

    steps!(Bare);
}

fn main() {}
