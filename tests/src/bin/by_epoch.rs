//! A trainer with every role, by epoch.

use engine::prelude::*;
use engine_tests::data::Points;
use engine_tests::faults::{Fault, mark};
use engine_tests::hooks::{Speaker, Witness};
use engine_tests::metrics::Confidence;
use engine_tests::model::judge;

/// Tells heaps apart.
#[trainer(by_epoch)]
pub struct Heaps {
    #[model]
    net: Box<dyn Net>,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Points>,
    #[loader(val)]
    val: Loader<Points>,
    #[loader(val)]
    hard: Loader<Points>,
    #[loader(test)]
    test: Loader<Points>,
    #[loader(predict)]
    unseen: Loader<Points>,
    #[metric]
    accuracy: Accuracy,
    #[metric]
    confidence: Confidence,
    #[hook]
    ema: Ema,
    #[hook]
    witness: Witness,
    #[hook]
    speaker: Option<Speaker>,
    /// Milliseconds that each step sleeps; above 0 it is announced too.
    #[config(default = 0, range = 0..=60_000)]
    pause: u64,
    /// What goes wrong in the training step.
    #[config(default = Fault::Nothing)]
    fault: Fault,
    /// The batch in which it goes wrong, counted from 1.
    #[config(default = 3, range = 1..)]
    fault_at: u64,
    /// The rank on which it goes wrong; by default on all.
    #[config(default)]
    fault_rank: Option<usize>,
    /// Training batches of the whole run.
    #[state]
    batches: u64,
    /// Validation batches of this process.
    #[transient]
    val_batches: u64,
}

impl Steps for Heaps {
    /// Points `[n, 4]`, heaps `[n]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (points, heaps): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.batches += 1;
        mark("train", self.batches, self.pause);
        let output = judge(self.net.as_ref(), points, heaps, cx.is_training())?;
        let here = self.fault_rank.is_none_or(|rank| rank == cx.rank());
        if here && self.batches == self.fault_at { self.fault.happen(output) } else { Ok(output) }
    }
}

impl ValStep for Heaps {
    fn val_step(&mut self, (points, heaps): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.val_batches += 1;
        mark("val", self.val_batches, self.pause);
        judge(self.net.as_ref(), points, heaps, cx.is_training())
    }
}

impl TestStep for Heaps {
    fn test_step(&mut self, (points, heaps): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        judge(self.net.as_ref(), points, heaps, cx.is_training())
    }
}

impl PredictStep for Heaps {
    type Prompt = (Tensor, Tensor);

    fn predict_step(&mut self, (points, truth): &Self::Prompt, cx: &mut Context<'_>) -> Result<Prediction> {
        let logits = self.net.forward(points, cx.is_training())?;
        let heaps = Vec::<i64>::try_from(logits.argmax(1, false))?;
        let names = heaps.iter().map(|heap| format!("heap {heap}")).collect();
        let picture = points.sigmoid().reshape([-1, 2, 2]);
        let found = Prediction::new().texts("name", names).tensor("logits", &logits);
        Ok(found.tensor("target", truth).tensor("picture", &picture))
    }
}

#[phases]
impl Heaps {
    fn after_backward(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.log_last("batches", self.batches as f64);
        Ok(())
    }

    fn on_exception(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("the trainer sees the end after {} batches", self.batches))
    }
}

engine::main!(Heaps);
