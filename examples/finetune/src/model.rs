//! A network of two parts: a backbone whose weights come from a file, and a head for the new classes.

use engine::prelude::*;

/// The network.
#[derive(Debug)]
pub struct Cnn {
    first: nn::Conv2D,
    second: nn::Conv2D,
    third: nn::Conv2D,
    head: nn::Linear,
}

/// Three convolutions and a linear layer.
#[component]
pub struct CnnConfig {
    /// Classes.
    #[config(default = 2, range = 2..=1000)]
    pub classes: i64,
}

impl Model for Cnn {
    type Config = CnnConfig;

    fn build(vs: &nn::Path<'_>, config: &CnnConfig) -> Result<Self> {
        let padded = nn::ConvConfig { padding: 1, ..Default::default() };
        let backbone = vs / "backbone";
        Ok(Cnn {
            first: nn::conv2d(&backbone / "first", 1, 16, 3, padded),
            second: nn::conv2d(&backbone / "second", 16, 32, 3, padded),
            third: nn::conv2d(&backbone / "third", 32, 32, 3, padded),
            head: nn::linear(vs / "head", 128, config.classes, Default::default()),
        })
    }
}

impl Cnn {
    /// Images `[n, 1, 8, 8]` to logits `[n, classes]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        let features = images.apply(&self.first).relu();
        let features = features.apply(&self.second).relu().max_pool2d_default(2);
        let features = features.apply(&self.third).relu().max_pool2d_default(2);
        features.flatten(1, 3).apply(&self.head)
    }
}
