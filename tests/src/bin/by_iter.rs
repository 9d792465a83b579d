//! A trainer by iter: one epoch that lasts the whole training, a loader that starts over.

use engine::prelude::*;
use engine_tests::data::Points;
use engine_tests::faults::mark;
use engine_tests::hooks::Witness;
use engine_tests::model::{Mlp, judge};

/// Tells heaps apart.
#[trainer(by_iter)]
pub struct Stream {
    #[model]
    net: Mlp,
    #[optimizer]
    opt: AdamW,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Points>,
    #[loader(val)]
    val: Option<Loader<Points>>,
    #[metric]
    accuracy: Accuracy,
    #[hook]
    ema: Option<Ema>,
    #[hook]
    witness: Witness,
    /// Milliseconds that each step sleeps; above 0 it is announced too.
    #[config(default = 0, range = 0..=60_000)]
    pause: u64,
    /// Training batches of the whole run.
    #[state]
    batches: u64,
    /// Validation batches of this process.
    #[transient]
    val_batches: u64,
}

impl Steps for Stream {
    /// Points `[n, 4]`, heaps `[n]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (points, heaps): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.batches += 1;
        mark("train", self.batches, self.pause);
        judge(&self.net, points, heaps, cx.is_training())
    }
}

impl ValStep for Stream {
    fn val_step(&mut self, (points, heaps): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.val_batches += 1;
        mark("val", self.val_batches, self.pause);
        judge(&self.net, points, heaps, cx.is_training())
    }
}

engine::main!(Stream);
