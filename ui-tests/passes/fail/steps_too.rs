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
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

// mistake: passes, and a step besides
impl Steps for A {
    type Batch = Tensor;
    fn train_step(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
