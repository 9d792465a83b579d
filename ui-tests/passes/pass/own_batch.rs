//! `Self::Batch` in passes.

use engine::prelude::*;

use super::passes_gan::{Layer, Noise, Pair};

/// Three models.
#[trainer(by_iter)]
#[derive(Debug)]
pub struct Triple {
    #[model]
    a: Layer,
    #[model]
    b: Layer,
    #[model]
    c: Layer,
    #[optimizer(a)]
    opt_a: AdamW,
    #[optimizer(b)]
    opt_b: AdamW,
    #[optimizer(c)]
    opt_c: AdamW,
    #[loader(train)]
    train: Loader<Noise>,
    #[loader(val)]
    val: Loader<Noise>,
}

// case: the block says what the batch is, as `impl Steps` does
#[passes]
impl Triple {
    type Batch = Pair;

    #[pass(opt_a)]
    fn first(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(batch.0.apply(&self.a.0).mean(Kind::Float).into())
    }
    // case: a pattern
    #[pass(opt_b)]
    fn second(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.apply(&self.b.0).mean(Kind::Float).into())
    }
    // case: by the trainer's name
    #[pass(opt_c)]
    fn third(&mut self, (x, _): &Triple::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.apply(&self.c.0).mean(Kind::Float).into())
    }
}

impl ValStep for Triple {
    fn val_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

/// Two models.
#[trainer(by_iter)]
#[derive(Debug)]
pub struct Double {
    #[model]
    a: Layer,
    #[model]
    b: Layer,
    #[optimizer(a)]
    opt_a: AdamW,
    #[optimizer(b)]
    opt_b: AdamW,
    #[loader(train)]
    train: Loader<Noise>,
}

// case: another pass says what it is
#[passes]
impl Double {
    #[pass(opt_a)]
    fn first(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.apply(&self.a.0).mean(Kind::Float).into())
    }
    #[pass(opt_b)]
    fn second(&mut self, (x, _): &Pair, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.apply(&self.b.0).mean(Kind::Float).into())
    }
}

/// They are programs.
pub fn check() {
    super::trainer_every_role::is_a_program::<Triple>();
    super::trainer_every_role::is_a_program::<Double>();
}
