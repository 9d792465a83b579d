//! `Self::Batch` in passes, and what is no such thing.

use engine::prelude::*;

#[path = "../../parts.rs"]
mod parts;
use parts::*;

gans!(A B C);

#[passes]
impl A {
    #[pass(opt_c)]
    // mistake: no type of the trainer's own but the batch
    fn critic(&mut self, _: &Self::Item, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    // mistake: more than the batch
    fn generator(&mut self, _: &(Self::Batch, Tensor), _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
}

// mistake: no pass says what the batch is
#[passes]
impl B {
    #[pass(opt_c)]
    fn critic(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(batch.shallow_clone()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(batch.shallow_clone()))
    }
}

#[passes]
impl C {
    type Batch = Tensor;
    // mistake: said twice
    type Batch = Tensor;
    // mistake: no batch
    type Item = Tensor;
    #[pass(opt_c)]
    fn critic(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(Tensor::new()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        // mistake: a tensor is no pair
        let (x, _) = batch;
        Ok(Output::new(x.shallow_clone()))
    }
}

// the train loader hands over images without classes
gans!(D);

#[passes]
impl D {
    type Batch = Tensor;
    #[pass(opt_c)]
    // mistake: another batch
    fn critic(&mut self, (x, _): &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(x.shallow_clone()))
    }
    #[pass(opt_g)]
    fn generator(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(Output::new(batch.shallow_clone()))
    }
}

fn main() {}
