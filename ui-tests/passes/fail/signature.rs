use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

#[trainer(by_iter)]
struct A {
    #[model]
    critic: Cnn,
    #[model]
    generator: Cnn,
    #[optimizer(critic)]
    opt_c: AdamW,
    #[optimizer(generator)]
    opt_g: AdamW,
    #[loader(train)]
    train: Loader<Images>,
}

#[passes]
impl A {
    #[pass(opt_c)]
    // mistake: borrows the trainer as it can't
    fn critic(&self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    // mistake: owns its batch
    fn generator(&mut self, _: Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[trainer(by_iter)]
struct B {
    #[model]
    critic: Cnn,
    #[model]
    generator: Cnn,
    #[optimizer(critic)]
    opt_c: AdamW,
    #[optimizer(generator)]
    opt_g: AdamW,
    #[loader(train)]
    train: Loader<Images>,
}

#[passes]
impl B {
    #[pass(opt_c)]
    // mistake: takes no batch
    fn critic(&mut self, cx: &mut Context<'_>) -> Result<Output> {
        cx.log("x", 1.0);
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    // mistake: returns nothing
    fn generator(&mut self, batch: &Tensor, cx: &mut Context<'_>) {
        cx.log("size", batch.size()[0] as f64);
    }
}

#[trainer(by_iter)]
struct C {
    #[model]
    critic: Cnn,
    #[model]
    generator: Cnn,
    #[optimizer(critic)]
    opt_c: AdamW,
    #[optimizer(generator)]
    opt_g: AdamW,
    #[loader(train)]
    train: Loader<Images>,
}

#[passes]
impl C {
    #[pass(opt_c)]
    // mistake: another context
    fn critic(&mut self, _: &Tensor, _: &mut Cnn) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    // mistake: another result
    fn generator(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Tensor> {
        Ok(batch.shallow_clone())
    }
}

#[trainer(by_iter)]
struct D {
    #[model]
    critic: Cnn,
    #[model]
    generator: Cnn,
    #[optimizer(critic)]
    opt_c: AdamW,
    #[optimizer(generator)]
    opt_g: AdamW,
    #[loader(train)]
    train: Loader<Images>,
}

#[passes]
impl D {
    #[pass(opt_c)]
    // mistake: takes its batch from no trait
    fn critic(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
