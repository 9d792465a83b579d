use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(A B C);

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

fn main() {}
