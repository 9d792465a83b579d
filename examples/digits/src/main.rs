//! Reads handwritten digits: the example to start from.
//!
//! `data` brings the images in, `models` holds the two networks that an experiment can choose from, `metrics` and
//! `hooks` add a measure and a report of their own, and here is the trainer that puts them together.

pub mod data;
pub mod hooks;
pub mod metrics;
pub mod models;

use data::DigitsSet;
use engine::prelude::*;
use hooks::WorstCases;
use metrics::WorstClass;

/// The trainer: what an experiment has to describe, field by field.
///
/// A concrete type fixes a choice in code; `Box<dyn …>` leaves it to the experiment file.
#[trainer(by_epoch)]
pub struct Digits {
    #[model]
    net: Box<dyn Net>,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<DigitsSet>,
    #[loader(val)]
    val: Loader<DigitsSet>,
    #[metric]
    accuracy: Accuracy,
    #[metric]
    worst_class: WorstClass,
    #[hook]
    ema: Ema,
    #[hook]
    worst: WorstCases,
    /// The share of the target that is spread over all classes in training, so that no logit has to grow without end.
    #[config(default = 0.0, range = 0.0..1.0)]
    smoothing: f64,
}

impl Steps for Digits {
    /// Images `[n, 1, 8, 8]` in 0 to 1, digits `[n]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (images, digits): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(images, cx.is_training())?;
        let loss = logits.cross_entropy_loss::<Tensor>(digits, None, Reduction::Mean, NOTHING_IGNORED, self.smoothing);
        // a tensor, not a number: it is read when a log line is due, and until then the device need not be waited for
        let right = logits.argmax(1, false).eq_tensor(digits).to_kind(Kind::Float).mean(Kind::Float);
        Ok(Output::new(loss).value("accuracy", right))
    }
}

impl ValStep for Digits {
    fn val_step(&mut self, (images, digits): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(images, cx.is_training())?;
        // without smoothing: two experiments are compared by this loss
        let loss = logits.cross_entropy_for_logits(digits);
        // metrics read `logits` and `target`; `image` is for `WorstCases`
        Ok(Output::new(loss).tensor("logits", &logits).tensor("target", digits).tensor("image", images))
    }
}

/// Every sample has a label, so this label, PyTorch's default for "leave this sample out", never occurs.
const NOTHING_IGNORED: i64 = -100;

engine::main!(Digits);

#[cfg(test)]
mod tests {
    use super::*;
    use engine::trainer::Experiment;
    use std::path::Path;

    #[test]
    fn every_experiment_beside_the_program_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        for file in ["digits.ron", "mlp.ron", "sgd.ron"] {
            assert!(Experiment::<Digits>::load(&folder.join(file), &[]).is_ok(), "{file}");
        }
    }
}
engine::check_experiments!("experiments/*.ron");
engine::experiment!("experiments/digits.ron");
