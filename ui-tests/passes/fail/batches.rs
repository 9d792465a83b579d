use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(A);

#[passes]
impl A {
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    // mistake: another batch than that of the first pass
    fn generator(&mut self, (x, _): &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(x.shallow_clone()))
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
    // mistake: images with classes, the passes take images alone
    #[loader(train)]
    train: Loader<Digits>,
}

#[passes]
impl B {
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
