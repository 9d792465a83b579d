//! A network whose first part is fitted and not trained: it shifts and scales each quantity.

use engine::prelude::*;

/// The network.
#[derive(Debug)]
pub struct Mlp {
    mean: Tensor,
    deviation: Tensor,
    hidden: nn::Linear,
    out: nn::Linear,
}

/// One hidden layer behind a fitted scale.
#[component]
pub struct MlpConfig {
    /// Quantities of a sample.
    #[config(default = 13, range = 1..)]
    pub inputs: i64,
    /// Features of the hidden layer.
    #[config(default = 32, range = 1..)]
    pub hidden: i64,
    /// Classes.
    #[config(default = 3, range = 2..)]
    pub classes: i64,
}

impl Model for Mlp {
    type Config = MlpConfig;

    fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
        let scale = vs / "scale";
        Ok(Mlp {
            // no gradients; in checkpoints and exports as all variables are
            mean: scale.zeros_no_train("mean", &[config.inputs]),
            deviation: scale.ones_no_train("deviation", &[config.inputs]),
            hidden: nn::linear(vs / "hidden", config.inputs, config.hidden, Default::default()),
            out: nn::linear(vs / "out", config.hidden, config.classes, Default::default()),
        })
    }
}

impl Mlp {
    /// Takes mean and standard deviation of each quantity from samples `[n, inputs]`.
    pub fn fit(&mut self, samples: &Tensor) {
        engine::tch::no_grad(|| {
            self.mean.copy_(&samples.mean_dim(0, false, Kind::Float));
            self.deviation.copy_(&samples.std_dim(0, false, false).clamp_min(1e-6));
        });
    }

    /// Quantities `[n, inputs]` as they were measured, to logits `[n, classes]`.
    pub fn forward(&self, quantities: &Tensor) -> Tensor {
        ((quantities - &self.mean) / &self.deviation).apply(&self.hidden).relu().apply(&self.out)
    }
}
