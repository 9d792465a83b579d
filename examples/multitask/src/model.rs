//! A backbone with two heads.

use engine::prelude::*;

/// The network.
#[derive(Debug)]
pub struct Heads {
    first: nn::Conv2D,
    second: nn::Conv2D,
    digit: nn::Linear,
    turn: nn::Linear,
}

/// Two convolutions, a head for ten digits and a head for four turns.
#[component]
pub struct HeadsConfig {
    /// Channels of the first layer; the second has twice as many.
    #[config(default = 16, range = 1..=1024)]
    pub width: i64,
}

impl Model for Heads {
    type Config = HeadsConfig;

    fn build(vs: &nn::Path<'_>, config: &HeadsConfig) -> Result<Self> {
        let width = config.width;
        let padded = nn::ConvConfig { padding: 1, ..Default::default() };
        let backbone = vs / "backbone";
        Ok(Heads {
            first: nn::conv2d(&backbone / "first", 1, width, 3, padded),
            second: nn::conv2d(&backbone / "second", width, 2 * width, 3, padded),
            digit: nn::linear(vs / "digit", 2 * width * 4, 10, Default::default()),
            turn: nn::linear(vs / "turn", 2 * width * 4, 4, Default::default()),
        })
    }
}

impl Heads {
    /// Images `[n, 1, 8, 8]` to features `[n, 8 width]`.
    pub fn features(&self, images: &Tensor) -> Tensor {
        let features = images.apply(&self.first).relu().max_pool2d_default(2);
        features.apply(&self.second).relu().max_pool2d_default(2).flatten(1, 3)
    }

    /// Features to logits of digits `[n, 10]`.
    pub fn digit(&self, features: &Tensor) -> Tensor {
        features.apply(&self.digit)
    }

    /// Features to logits of turns `[n, 4]`.
    pub fn turn(&self, features: &Tensor) -> Tensor {
        features.apply(&self.turn)
    }
}
