use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(A B C D E Keyed);

#[passes]
impl A {
    // mistake: no optimizer
    #[pass(times = 5)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_c, opt_g)]
    fn both(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[passes]
impl Keyed {
    // mistake: a key before the optimizer
    #[pass(optimizer = opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    // mistake: a text
    #[pass("opt_g")]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    // mistake: the rate
    #[pass(opt_g, lr = 0.1)]
    fn slow(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[passes]
impl B {
    // mistake: a misspelt argument
    #[pass(opt_c, tmes = 5)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    // mistake: a misspelt word
    #[pass(opt_g, batches = Smae)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[passes]
impl C {
    // mistake: no update at all
    #[pass(opt_c, times = 0)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    // mistake: no count
    #[pass(opt_g, every = "2")]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[passes]
impl D {
    // mistake: named twice
    #[pass(opt_c, opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

const NONE: u64 = 0;

#[passes]
impl E {
    // mistake: a constant that is no update at all
    #[pass(opt_c, times = NONE)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    // mistake: a value without its key
    #[pass(opt_g, 5)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

fn main() {}
