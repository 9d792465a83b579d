//! Transposed convolutions.

use crate::nn::uniform::{PYTORCH_UNIFORM, bias};
use std::borrow::Borrow;
use tch::nn::{self, ConvTranspose1D, ConvTranspose2D, ConvTranspose3D, Init, Path};

/// The settings of a transposed convolution, the same in each dimension.
#[derive(Clone, Copy, Debug)]
pub struct ConvTransposeConfig {
    /// The stride: the distance in the output between two positions of the kernel.
    pub stride: i64,
    /// The number of elements removed on each side of the output.
    pub padding: i64,
    /// The number of elements added on one side of the output.
    pub output_padding: i64,
    /// The number of groups of channels that are convolved separately.
    pub groups: i64,
    /// Whether there is a bias.
    pub bias: bool,
    /// The distance between two elements of the kernel.
    pub dilation: i64,
    /// The initial values of the weight.
    pub ws_init: Init,
    /// The initial values of the bias; `None`: as in PyTorch, uniform in ±1 / √n with n = outputs / groups · elements
    /// of the kernel.
    pub bs_init: Option<Init>,
}

/// The defaults of `torch.nn.ConvTranspose2d`.
impl Default for ConvTransposeConfig {
    fn default() -> Self {
        ConvTransposeConfig {
            stride: 1,
            padding: 0,
            output_padding: 0,
            groups: 1,
            bias: true,
            dilation: 1,
            ws_init: PYTORCH_UNIFORM,
            bs_init: None,
        }
    }
}

impl ConvTransposeConfig {
    /// PyTorch takes the second dimension of the weight `[inputs, outputs / groups, …]` for its inputs.
    fn of_tch(self, outputs: i64, kernel: i64) -> nn::ConvTransposeConfig {
        let ConvTransposeConfig { stride, padding, output_padding, groups, bias: has_bias, dilation, ws_init, bs_init } =
            self;
        let bs_init = bs_init.unwrap_or_else(|| bias(outputs / groups.max(1) * kernel));
        nn::ConvTransposeConfig { stride, padding, output_padding, groups, bias: has_bias, dilation, ws_init, bs_init }
    }
}

/// A transposed convolution along one dimension: `[n, inputs, l]` to `[n, outputs, …]`, with a kernel of `size`.
pub fn conv_transpose1d<'a>(
    vs: impl Borrow<Path<'a>>,
    inputs: i64,
    outputs: i64,
    size: i64,
    config: ConvTransposeConfig,
) -> ConvTranspose1D {
    nn::conv_transpose1d(vs, inputs, outputs, size, config.of_tch(outputs, size))
}

/// A transposed convolution along two dimensions: `[n, inputs, h, w]` to `[n, outputs, …, …]`, with a kernel of `size` ×
/// `size`.
pub fn conv_transpose2d<'a>(
    vs: impl Borrow<Path<'a>>,
    inputs: i64,
    outputs: i64,
    size: i64,
    config: ConvTransposeConfig,
) -> ConvTranspose2D {
    nn::conv_transpose2d(vs, inputs, outputs, size, config.of_tch(outputs, size * size))
}

/// A transposed convolution along three dimensions: `[n, inputs, d, h, w]` to `[n, outputs, …, …, …]`, with a kernel of
/// `size` in each.
pub fn conv_transpose3d<'a>(
    vs: impl Borrow<Path<'a>>,
    inputs: i64,
    outputs: i64,
    size: i64,
    config: ConvTransposeConfig,
) -> ConvTranspose3D {
    nn::conv_transpose3d(vs, inputs, outputs, size, config.of_tch(outputs, size * size * size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::uniform::tests::assert_uniform;
    use tch::Device;

    #[test]
    fn a_transposed_convolution_starts_as_that_of_pytorch() {
        let vs = nn::VarStore::new(Device::Cpu);
        let config = ConvTransposeConfig { groups: 2, ..ConvTransposeConfig::default() };
        let layer = conv_transpose2d(vs.root(), 16, 512, 3, config);
        // outputs / groups · 3 · 3
        assert_uniform(&layer.ws, 1.0 / (256.0f64 * 9.0).sqrt());
        assert_uniform(layer.bs.as_ref().unwrap(), 1.0 / (256.0f64 * 9.0).sqrt());
    }
}
