//! The linear layer.

use crate::nn::uniform::{PYTORCH_UNIFORM, bias};
use std::borrow::Borrow;
use tch::nn::{self, Init, Linear, Path};

/// The settings of a linear layer.
#[derive(Clone, Copy, Debug)]
pub struct LinearConfig {
    /// The initial values of the weight.
    pub ws_init: Init,
    /// The initial values of the bias; `None`: uniform in ±1 / √inputs.
    pub bs_init: Option<Init>,
    /// Whether there is a bias.
    pub bias: bool,
}

/// The defaults of `torch.nn.Linear`.
impl Default for LinearConfig {
    fn default() -> Self {
        LinearConfig { ws_init: PYTORCH_UNIFORM, bs_init: None, bias: true }
    }
}

/// A linear layer: `[…, inputs]` to `[…, outputs]`. Its variables are `weight`, `[outputs, inputs]`, and `bias`.
pub fn linear<'a>(vs: impl Borrow<Path<'a>>, inputs: i64, outputs: i64, config: LinearConfig) -> Linear {
    let LinearConfig { ws_init, bs_init, bias: has_bias } = config;
    let bs_init = Some(bs_init.unwrap_or_else(|| bias(inputs)));
    nn::linear(vs, inputs, outputs, nn::LinearConfig { ws_init, bs_init, bias: has_bias })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::uniform::tests::assert_uniform;
    use tch::Device;

    #[test]
    fn a_linear_layer_starts_as_that_of_pytorch() {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = linear(vs.root() / "a", 64, 1024, LinearConfig::default());
        assert_uniform(&layer.ws, 0.125);
        assert_uniform(layer.bs.as_ref().unwrap(), 0.125);
        let bare = linear(vs.root() / "b", 64, 8, LinearConfig { bias: false, ..LinearConfig::default() });
        assert!(bare.bs.is_none());
    }
}
