//! Tells the cultivar of a wine by thirteen measured quantities: a table, a preprocessor that is fitted on the training part and
//! saved with the model, and folds.
//!
//! `data` reads the table, `model` is the network, and here is the trainer with the preprocessor.

pub mod data;
pub mod model;

use data::Wines;
use engine::data::preprocess::{Fitted, Standardize, StandardizeConfig};
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
    /// How the quantities are scaled.
    #[config(default)]
    scaling: StandardizeConfig,
    /// Their scale in the training part: checkpoints and exports have it.
    #[state]
    scale: Fitted<Standardize>,
}

impl Tabular {
    /// Quantities `[n, 13]` as they were measured, to logits `[n, 3]`.
    fn logits(&self, quantities: &Tensor) -> Result<Tensor> {
        Ok(self.net.forward(&self.scale.get()?.apply(quantities)?))
    }
}

impl Steps for Tabular {
    /// Quantities `[n, 13]`, cultivars `[n]`.
    type Batch = (Tensor, Tensor);

    fn train_step(&mut self, (quantities, cultivars): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.logits(quantities)?.cross_entropy_for_logits(cultivars).into())
    }
}

impl ValStep for Tabular {
    fn val_step(&mut self, (quantities, cultivars): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let logits = self.logits(quantities)?;
        let loss = logits.cross_entropy_for_logits(cultivars);
        Ok(Output::new(loss).tensor("logits", &logits).tensor("target", cultivars))
    }
}

impl PredictStep for Tabular {
    type Prompt = (Tensor, Tensor);

    fn predict_step(&mut self, (quantities, _): &Self::Prompt, _: &mut Context<'_>) -> Result<Prediction> {
        let probabilities = self.logits(quantities)?.softmax(1, Kind::Float);
        let (probability, cultivar) = probabilities.max_dim(1, false);
        Ok(Prediction::new().tensor("cultivar", &cultivar).tensor("probability", &probability))
    }
}

#[phases]
impl Tabular {
    /// Fits the preprocessor. A resumed run has its first fit, and validations and predictions have it from the checkpoint.
    fn before_train(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.scale.fit(&self.scaling, || Ok(self.train.open_dataset()?.quantities()))
    }
}

engine::main!(Tabular);
engine::check_experiments!("experiments/*.ron");
