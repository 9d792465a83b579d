//! The network.

use engine::prelude::*;

/// The network.
#[derive(Debug)]
pub struct Mlp {
    hidden: nn::Linear,
    out: nn::Linear,
}

/// One hidden layer.
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
        Ok(Mlp {
            hidden: nn::linear(vs / "hidden", config.inputs, config.hidden, Default::default()),
            out: nn::linear(vs / "out", config.hidden, config.classes, Default::default()),
        })
    }
}

impl Mlp {
    /// Scaled quantities `[n, inputs]` to logits `[n, classes]`.
    pub fn forward(&self, quantities: &Tensor) -> Tensor {
        quantities.apply(&self.hidden).relu().apply(&self.out)
    }
}
