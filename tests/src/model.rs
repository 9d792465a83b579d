//! A network with everything that makes a run hard to repeat: chance in its forward pass, and buffers.

use crate::data::{CLASSES, NUMBERS};
use engine::prelude::*;
use nn::{Module as _, ModuleT as _};

/// One hidden layer with batch norm and dropout.
#[derive(Debug)]
pub struct Mlp {
    hidden: nn::Linear,
    norm: nn::BatchNorm,
    out: nn::Linear,
    dropout: f64,
}

/// The settings of [`Mlp`].
#[component(model)]
pub struct MlpConfig {
    /// Features of the hidden layer.
    #[config(default = 8, range = 1..=4096)]
    pub hidden: i64,
    /// The share of features that is left out at random in training.
    #[config(default = 0.3, range = 0.0..1.0)]
    pub dropout: f64,
}

impl Model for Mlp {
    type Config = MlpConfig;

    fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
        Ok(Mlp {
            hidden: nn::linear(vs / "hidden", NUMBERS, config.hidden, Default::default()),
            norm: nn::batch_norm1d(vs / "norm", config.hidden, Default::default()),
            out: nn::linear(vs / "out", config.hidden, CLASSES, Default::default()),
            dropout: config.dropout,
        })
    }
}

impl Net for Mlp {
    /// Points `[n, 4]` to logits `[n, 3]`.
    fn forward(&self, points: &Tensor, train: bool) -> Result<Tensor> {
        let features = self.norm.forward_t(&self.hidden.forward(points), train).relu();
        Ok(self.out.forward(&features.dropout(self.dropout, train)))
    }
}

/// The loss of a batch, with what metrics read.
///
/// # Errors
/// Those of the network.
pub fn judge(net: &dyn Net, points: &Tensor, classes: &Tensor, train: bool) -> Result<Output> {
    let logits = net.forward(points, train)?;
    let loss = logits.cross_entropy_for_logits(classes);
    Ok(Output::new(loss).tensor("logits", &logits).tensor("target", classes))
}
