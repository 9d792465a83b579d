//! A convolution followed by batch norm, as one layer.

use crate::nn::conv::{ConvConfig, conv2d};
use crate::nn::norm::{BatchNorm, BatchNormConfig, batch_norm2d};
use tch::nn::{Conv2D, ModuleT, PaddingMode, Path};
use tch::{TchError, Tensor};

/// A convolution and the batch norm behind it. In an evaluation the norm is folded into the weight and bias of the
/// convolution, so that one operator computes both.
///
/// The names of the variables are those of the two layers, so that weights of other programs can be loaded. In training
/// it is the two layers, one after the other. In an evaluation, in `predict` and in a program that `export` traces, it
/// computes `conv(x, w · s, (b − mean) · s + bias)` with `s = weight / √(var + eps)`, which differs from the two layers
/// in the last bits only (less than 1e-5 for values around 1). The folded weight is computed anew in each forward pass,
/// so it is never out of date; this costs little beside a convolution over a picture.
///
/// ```
/// use engine::prelude::*;
/// use engine::tch::nn::ModuleT as _;
///
/// let store = nn::VarStore::new(Device::Cpu);
/// let root = store.root();
/// let mut config = nn::ConvNormConfig::default(); // the convolution has no bias
/// config.conv.padding = 1;
/// let layer = nn::conv_norm2d([&root / "conv1", &root / "bn1"], 3, 8, 3, config);
/// let pixels = Tensor::ones([2, 3, 6, 6], (Kind::Float, Device::Cpu));
/// assert_eq!(pixels.apply_t(&layer, false).size(), [2, 8, 6, 6]);
/// ```
#[derive(Debug)]
pub struct ConvNorm2d {
    /// The convolution.
    pub conv: Conv2D,
    /// The batch norm of its output.
    pub norm: BatchNorm,
    config: ConvConfig,
}

/// The settings of a convolution and its batch norm.
#[derive(Clone, Copy, Debug)]
pub struct ConvNormConfig {
    /// Those of the convolution; without a bias by default, because batch norm has one.
    pub conv: ConvConfig,
    /// Those of batch norm.
    pub norm: BatchNormConfig,
}

impl Default for ConvNormConfig {
    fn default() -> Self {
        ConvNormConfig { conv: ConvConfig { bias: false, ..ConvConfig::default() }, norm: BatchNormConfig::default() }
    }
}

/// A convolution with a kernel of `size` × `size` and the batch norm of its output, `[n, inputs, h, w]` to
/// `[n, outputs, …, …]`. `paths` are where the variables of the two are.
pub fn conv_norm2d(paths: [Path<'_>; 2], inputs: i64, outputs: i64, size: i64, config: ConvNormConfig) -> ConvNorm2d {
    let [of_conv, of_norm] = paths;
    ConvNorm2d {
        conv: conv2d(of_conv, inputs, outputs, size, config.conv),
        norm: batch_norm2d(of_norm, outputs, config.norm),
        config: config.conv,
    }
}

impl ConvNorm2d {
    /// The weight `[outputs, inputs / groups, h, w]` and bias `[outputs]` of the one convolution that computes both in
    /// an evaluation: for programs that run a network without this layer.
    ///
    /// # Errors
    /// When libtorch fails, for example because the device is out of memory.
    pub fn folded(&self) -> Result<(Tensor, Tensor), TchError> {
        let norm = &self.norm;
        let mut factor = norm.running_var.f_add_scalar(norm.eps())?.f_rsqrt()?;
        if let Some(weight) = &norm.ws {
            factor = factor.f_mul(weight)?;
        }
        let mut bias = match &self.conv.bs {
            Some(bias) => bias.f_sub(&norm.running_mean)?,
            None => norm.running_mean.f_neg()?,
        };
        bias = bias.f_mul(&factor)?;
        if let Some(term) = &norm.bs {
            bias = bias.f_add(term)?;
        }
        let weight = self.conv.ws.f_mul(&factor.f_reshape([-1, 1, 1, 1])?)?;
        Ok((weight.f_to_kind(self.conv.ws.kind())?, bias.f_to_kind(self.conv.ws.kind())?))
    }

    fn forward_folded(&self, xs: &Tensor) -> Result<Tensor, TchError> {
        let (weight, bias) = self.folded()?;
        let ConvConfig { stride, padding, dilation, groups, .. } = self.config;
        let both = |each: i64| [each, each];
        xs.f_conv2d(&weight, Some(&bias), both(stride), both(padding), both(dilation), groups)
    }
}

impl ModuleT for ConvNorm2d {
    /// # Panics
    /// As the two layers do. In a step, a panic is an error of the run.
    #[expect(clippy::panic, reason = "`ModuleT` has no errors, and libtorch's operators panic too")]
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        // padding with values of the input is an operator of its own, which the layer of tch calls
        if train || !matches!(self.config.padding_mode, PaddingMode::Zeros) {
            return xs.apply_t(&self.conv, train).apply_t(&self.norm, train);
        }
        match self.forward_folded(xs) {
            Ok(ys) => ys,
            Err(error) => panic!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, nn};

    fn layer(vs: &nn::Path<'_>, config: ConvConfig, affine: bool) -> ConvNorm2d {
        let norm = BatchNormConfig { affine, ..BatchNormConfig::default() };
        let layer = conv_norm2d([vs / "conv", vs / "norm"], 4, 6, 3, ConvNormConfig { conv: config, norm });
        // statistics as those of a training
        let xs = Tensor::randn([8, 4, 7, 7], (Kind::Float, Device::Cpu)) * 2.0 + 0.5;
        for _ in 0..20 {
            let _ = xs.apply_t(&layer, true);
        }
        layer
    }

    #[test]
    fn the_folded_convolution_computes_what_the_two_layers_do() {
        let vs = nn::VarStore::new(Device::Cpu);
        let plain = ConvConfig { padding: 1, ..ConvConfig::default() };
        let configs = [
            (plain, true),
            (ConvConfig { bias: false, ..plain }, true),
            (ConvConfig { groups: 2, stride: 2, ..plain }, false),
            (ConvConfig { dilation: 2, ..plain }, true),
            (ConvConfig { padding_mode: PaddingMode::Reflect, ..plain }, true),
        ];
        for (place, (config, affine)) in configs.into_iter().enumerate() {
            let layer = layer(&(vs.root() / place), config, affine);
            let xs = Tensor::randn([3, 4, 7, 7], (Kind::Float, Device::Cpu));
            let two = xs.apply_t(&layer.conv, false).apply_t(&layer.norm, false);
            let one = xs.apply_t(&layer, false);
            let apart = (&two - &one).abs().max().double_value(&[]);
            assert!(apart < 1e-5 && two.size() == one.size(), "{config:?}: {apart}");
        }
    }

    #[test]
    fn a_training_uses_the_statistics_of_the_batch_and_keeps_its_gradients() {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = layer(&vs.root(), ConvConfig::default(), true);
        let before = layer.norm.running_mean.copy();
        let loss =
            Tensor::ones([2, 4, 5, 5], (Kind::Float, Device::Cpu)).apply_t(&layer, true).square().sum(Kind::Float);
        loss.backward();
        assert!(layer.conv.ws.grad().defined());
        assert_ne!(layer.norm.running_mean, before);
    }
}
