use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(A B C D);

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

#[passes]
impl D {
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

// mistake: a second block
#[passes]
impl D {
    #[pass(opt_g)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
