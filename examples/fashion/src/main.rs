//! Tells apart ten kinds of clothes: a small residual network on Fashion-MNIST, trained by epoch.
//!
//! `data` reads IDX files, augments images and mixes those of a batch, `models` has the network, and here is the trainer.

pub mod data;
pub mod models;

use data::Fashion;
use engine::prelude::*;
use models::ResNet;

/// The trainer: what an experiment has to describe, field by field.
#[trainer(by_epoch)]
pub struct Clothes {
    #[model]
    net: ResNet,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Fashion>,
    #[loader(val)]
    val: Loader<Fashion>,
    #[metric]
    accuracy: Accuracy,
    #[hook]
    ema: Ema,
}

impl Steps for Clothes {
    /// Images `[n, 1, 28, 28]` from 0 to 1, and the probability of each class, `[n, 10]`: mixed images have two.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (images, targets): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(images, cx.is_training())?;
        Ok(cross_entropy(&logits, targets).into())
    }
}

impl ValStep for Clothes {
    fn val_step(&mut self, (images, targets): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(images, cx.is_training())?;
        let loss = cross_entropy(&logits, targets);
        // metrics read `logits` and `target`
        Ok(Output::new(loss).tensor("logits", &logits).tensor("target", &targets.argmax(1, false)))
    }
}

/// The mean over the batch of `-Σ p · log softmax(logits)`, for probabilities `p`.
fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Tensor {
    let of_each = (logits.log_softmax(1, Kind::Float) * targets).sum_dim_intlist(1, false, Kind::Float);
    -of_each.mean(Kind::Float)
}

engine::main!(Clothes);
engine::check_experiments!("experiments/*.ron");
engine::experiment!("experiments/fashion.ron");

#[cfg(test)]
mod tests {
    use super::*;
    use engine::folder::Mode;
    use engine::trainer::{Experiment, run_train};
    use std::path::Path;

    /// Four IDX files with this many images each, of noise whose brightness tells the class.
    pub(crate) fn write_data(folder: &Path, images: u32) {
        for prefix in ["train", "t10k"] {
            let labels: Vec<u8> = (0..images).map(|n| (n % 10) as u8).collect();
            let pixel = |n: usize| labels[n / 784] * 25 + (n * 7919 % 20) as u8;
            let pixels: Vec<u8> = (0..labels.len() * 784).map(pixel).collect();
            let size = |number: u32| number.to_be_bytes();
            let header = [&[0, 0, 8, 3][..], &size(images), &size(28), &size(28)].concat();
            std::fs::write(folder.join(format!("{prefix}-images-idx3-ubyte")), [header, pixels].concat()).unwrap();
            let header = [&[0, 0, 8, 1][..], &size(images)].concat();
            std::fs::write(folder.join(format!("{prefix}-labels-idx1-ubyte")), [header, labels].concat()).unwrap();
        }
    }

    #[test]
    fn the_experiment_trains_on_files_of_the_same_form() {
        let folder = tempfile::tempdir().unwrap();
        write_data(folder.path(), 96);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/fashion.ron");
        let data = folder.path().display();
        let set = [
            format!("loaders.train.dataset.folder=\"{data}\""),
            format!("loaders.val.dataset.folder=\"{data}\""),
            "loaders.train.batch_size=16".to_owned(),
            "model.width=4".to_owned(),
            "train.max_epochs=2".to_owned(),
        ];
        let mut experiment = Experiment::<Clothes>::load(&file, &set).unwrap();
        experiment.work_dir = folder.path().join("runs");
        let summary = run_train(experiment, Mode::New).unwrap();
        assert_eq!((summary.epoch, summary.iter), (2, 12));
    }
}
