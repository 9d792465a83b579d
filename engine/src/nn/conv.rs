//! Convolutions.

use crate::nn::uniform::{PYTORCH_UNIFORM, bias};
use std::borrow::Borrow;
use tch::nn::{self, Conv1D, Conv2D, Conv3D, Init, PaddingMode, Path};

/// The settings of a convolution, the same in each dimension.
#[derive(Clone, Copy, Debug)]
pub struct ConvConfig {
    /// The stride: the distance between two positions of the kernel.
    pub stride: i64,
    /// The number of elements added on each side of the input.
    pub padding: i64,
    /// The distance between two elements of the kernel.
    pub dilation: i64,
    /// The number of groups of channels that are convolved separately.
    pub groups: i64,
    /// Whether there is a bias.
    pub bias: bool,
    /// The initial values of the weight.
    pub ws_init: Init,
    /// The initial values of the bias; `None`: uniform in ±1 / √fan_in.
    pub bs_init: Option<Init>,
    /// The values of the padding: zeros, or values of the input.
    pub padding_mode: PaddingMode,
}

/// The defaults of `torch.nn.Conv2d`.
impl Default for ConvConfig {
    fn default() -> Self {
        ConvConfig {
            stride: 1,
            padding: 0,
            dilation: 1,
            groups: 1,
            bias: true,
            ws_init: PYTORCH_UNIFORM,
            bs_init: None,
            padding_mode: PaddingMode::Zeros,
        }
    }
}

impl ConvConfig {
    /// `fan_in`: the inputs of one output.
    fn with_bias_of(self, fan_in: i64) -> nn::ConvConfig {
        let ConvConfig { stride, padding, dilation, groups, bias: has_bias, ws_init, bs_init, padding_mode } = self;
        let bs_init = bs_init.unwrap_or_else(|| bias(fan_in));
        nn::ConvConfig { stride, padding, dilation, groups, bias: has_bias, ws_init, bs_init, padding_mode }
    }

    fn inputs(&self, channels: i64) -> i64 {
        channels / self.groups.max(1)
    }
}

/// A convolution along one dimension: `[n, inputs, l]` to `[n, outputs, …]`, with a kernel of `size`.
pub fn conv1d<'a>(vs: impl Borrow<Path<'a>>, inputs: i64, outputs: i64, size: i64, config: ConvConfig) -> Conv1D {
    let fan_in = config.inputs(inputs) * size;
    nn::conv1d(vs, inputs, outputs, size, config.with_bias_of(fan_in))
}

/// A convolution along two dimensions: `[n, inputs, h, w]` to `[n, outputs, …, …]`, with a kernel of `size` × `size`.
pub fn conv2d<'a>(vs: impl Borrow<Path<'a>>, inputs: i64, outputs: i64, size: i64, config: ConvConfig) -> Conv2D {
    let fan_in = config.inputs(inputs) * size * size;
    nn::conv2d(vs, inputs, outputs, size, config.with_bias_of(fan_in))
}

/// A convolution along three dimensions: `[n, inputs, d, h, w]` to `[n, outputs, …, …, …]`, with a kernel of `size` in
/// each.
pub fn conv3d<'a>(vs: impl Borrow<Path<'a>>, inputs: i64, outputs: i64, size: i64, config: ConvConfig) -> Conv3D {
    let fan_in = config.inputs(inputs) * size * size * size;
    nn::conv3d(vs, inputs, outputs, size, config.with_bias_of(fan_in))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::uniform::tests::assert_uniform;
    use tch::Device;

    #[test]
    fn a_convolution_starts_as_that_of_pytorch() {
        let vs = nn::VarStore::new(Device::Cpu);
        let bound = |fan_in: f64| 1.0 / fan_in.sqrt();
        let plain = conv2d(vs.root() / "plain", 8, 256, 3, ConvConfig::default());
        assert_uniform(&plain.ws, bound(72.0));
        assert_uniform(plain.bs.as_ref().unwrap(), bound(72.0));
        let grouped = conv2d(vs.root() / "grouped", 8, 256, 3, ConvConfig { groups: 4, ..ConvConfig::default() });
        assert_uniform(&grouped.ws, bound(18.0));
        assert_uniform(grouped.bs.as_ref().unwrap(), bound(18.0));
        assert_uniform(&conv1d(vs.root() / "one", 16, 128, 5, ConvConfig::default()).ws, bound(80.0));
        assert_uniform(&conv3d(vs.root() / "three", 4, 128, 3, ConvConfig::default()).ws, bound(108.0));
    }
}
