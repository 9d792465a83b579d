use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(A B);

#[passes]
impl A {
    // mistake: no field of this name
    #[pass(opt_x)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[passes]
impl B {
    // mistake: a field that is a model
    #[pass(opt_c, critic)]
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
    // mistake: in no pass
    opt_g: AdamW,
    #[loader(train)]
    train: Loader<Images>,
}

#[passes]
impl C {
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
