//! Tells the cultivar of a wine by thirteen measured quantities: a table, a preprocessor that is fitted on the training part and
//! saved with the model, and folds.
//!
//! `data` reads the table, `model` is the network with its preprocessor, and here is the trainer.

pub mod data;
pub mod model;

use data::Wines;
use engine::prelude::*;
use model::Mlp;

/// The trainer: what an experiment has to describe, field by field.
#[trainer(by_epoch)]
pub struct Tabular {
    #[model]
    net: Mlp,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Wines>,
    #[loader(val)]
    val: Loader<Wines>,
    #[loader(predict)]
    predict: Loader<Wines>,
    #[metric]
    accuracy: Accuracy,
}

impl Steps for Tabular {
    /// Quantities `[n, 13]`, cultivars `[n]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (quantities, cultivars): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.net.forward(quantities).cross_entropy_for_logits(cultivars).into())
    }
}

impl ValStep for Tabular {
    fn val_step(&mut self, (quantities, cultivars): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let logits = self.net.forward(quantities);
        let loss = logits.cross_entropy_for_logits(cultivars);
        Ok(Output::new(loss).tensor("logits", &logits).tensor("target", cultivars))
    }
}

impl PredictStep for Tabular {
    type Prompt = (Tensor, Tensor);

    fn predict_step(&mut self, (quantities, _): &Self::Prompt, _: &mut Context<'_>) -> Result<Prediction> {
        let probabilities = self.net.forward(quantities).softmax(1, Kind::Float);
        let (probability, cultivar) = probabilities.max_dim(1, false);
        Ok(Prediction::new().tensor("cultivar", &cultivar).tensor("probability", &probability))
    }
}

#[phases]
impl Tabular {
    /// Fits the preprocessor. A resumed run, a validation and a prediction have it from the checkpoint.
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.iter().get() > 0 {
            return Ok(());
        }
        if let Some(train) = self.train.dataset() {
            self.net.fit(&train.quantities().to_device(cx.device()));
        }
        Ok(())
    }
}

engine::main!(Tabular);
engine::check_experiments!("experiments/*.ron");
