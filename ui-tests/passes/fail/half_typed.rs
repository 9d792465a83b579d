//! A pass that is being written: the compiler tells of it, and the trainer has its passes.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(A);

#[passes]
impl A {
    #[pass(opt_c, times = 5)]
    fn critic(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    // mistake: no body yet
    #[pass(opt_g)]
    fn generator(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output>;
}

fn main() {}
