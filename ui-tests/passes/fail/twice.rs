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
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    // mistake: the name of another pass
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
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
    // mistake: marked twice
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
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
    #[pass(opt_c, opt_g)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    // mistake: no pass
    fn helper(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
