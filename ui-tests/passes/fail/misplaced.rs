use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(D E F);

// mistake: on the struct
#[passes]
struct A;

// mistake: on a function
#[passes]
fn critic(_: &Tensor, _: &mut Context<'_>) -> Result<Output> {
    Ok(Output::new(Tensor::new()))
}

struct B;

// mistake: on a type that is no trainer
#[passes]
impl B {
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

struct C;

impl C {
    // mistake: outside of `#[passes]`
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

#[passes]
// mistake: on the impl of a trait
impl Steps for D {
    #[pass(opt_c)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

impl Steps for F {
    type Batch = Tensor;
    // mistake: a step is no pass
    #[pass(opt_c, opt_g)]
    fn train_step(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

// mistake: no pass in it
#[passes]
impl E {}

fn main() {
    let _ = (critic, A);
}
