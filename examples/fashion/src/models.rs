//! A small residual network.

use crate::data::CLASSES;
use engine::data::augment::{Normalize, NormalizeConfig};
use engine::prelude::*;
use nn::ModuleT as _;

/// A residual network for images of 28 × 28 pixels, in the form of K. He et al., "Identity Mappings in Deep Residual
/// Networks", 2016: each block normalises first and adds last.
#[derive(Debug)]
pub struct ResNet {
    normalize: Normalize,
    stem: nn::Conv2D,
    blocks: Vec<Block>,
    norm: nn::BatchNorm,
    out: nn::Linear,
}

/// Three stages of residual blocks, of which each has twice as many channels and half as many pixels.
#[component(model)]
pub struct ResNetConfig {
    /// Channels of the first stage.
    #[config(default = 32, range = 1..=1024)]
    pub width: i64,
    /// Blocks in each stage.
    #[config(default = 1, range = 1..=100)]
    pub blocks: i64,
    /// Mean and standard deviation of the training images.
    #[config(default = NormalizeConfig { mean: vec![0.286], std: vec![0.353] })]
    pub normalize: NormalizeConfig,
}

impl Model for ResNet {
    type Config = ResNetConfig;

    fn build(vs: &nn::Path<'_>, config: &ResNetConfig) -> Result<Self> {
        let mut blocks = Vec::new();
        let mut channels = config.width;
        for stage in 0..3 {
            for block in 0..config.blocks {
                let (wide, first) = (config.width << stage, block == 0);
                let stride = if first && stage > 0 { 2 } else { 1 };
                blocks.push(Block::new(&(vs / format!("stage{stage}") / block), channels, wide, stride));
                channels = wide;
            }
        }
        Ok(ResNet {
            normalize: Normalize::build(&(vs / "normalize"), &config.normalize)?,
            stem: conv(&(vs / "stem"), 1, config.width, 3, 1),
            blocks,
            norm: nn::batch_norm2d(vs / "norm", channels, Default::default()),
            out: nn::linear(vs / "out", channels, CLASSES, Default::default()),
        })
    }
}

impl Net for ResNet {
    /// Images `[n, 1, 28, 28]` from 0 to 1 to logits `[n, 10]`.
    fn forward(&self, images: &Tensor, train: bool) -> Result<Tensor> {
        let mut features = self.normalize.apply(images)?.apply(&self.stem); // [n, width, 28, 28]
        for block in &self.blocks {
            features = block.forward(&features, train);
        }
        let features = self.norm.forward_t(&features, train).relu(); // [n, 4 · width, 7, 7]
        Ok(features.mean_dim([2i64, 3].as_slice(), false, Kind::Float).apply(&self.out))
    }
}

/// Two convolutions beside a shortcut.
#[derive(Debug)]
struct Block {
    norm1: nn::BatchNorm,
    conv1: nn::Conv2D,
    norm2: nn::BatchNorm,
    conv2: nn::Conv2D,
    /// Where channels or pixels change.
    shortcut: Option<nn::Conv2D>,
}

impl Block {
    fn new(vs: &nn::Path<'_>, from: i64, to: i64, stride: i64) -> Block {
        Block {
            norm1: nn::batch_norm2d(vs / "norm1", from, Default::default()),
            conv1: conv(&(vs / "conv1"), from, to, 3, stride),
            norm2: nn::batch_norm2d(vs / "norm2", to, Default::default()),
            conv2: conv(&(vs / "conv2"), to, to, 3, 1),
            shortcut: (from != to || stride != 1).then(|| conv(&(vs / "shortcut"), from, to, 1, stride)),
        }
    }

    fn forward(&self, input: &Tensor, train: bool) -> Tensor {
        let features = self.norm1.forward_t(input, train).relu();
        let around = match &self.shortcut {
            Some(shortcut) => features.apply(shortcut),
            None => input.shallow_clone(),
        };
        let features = self.norm2.forward_t(&features.apply(&self.conv1), train).relu();
        features.apply(&self.conv2) + around
    }
}

/// A convolution without a bias, which the norm behind it would take away.
fn conv(vs: &nn::Path<'_>, from: i64, to: i64, size: i64, stride: i64) -> nn::Conv2D {
    let config = nn::ConvConfig { padding: size / 2, stride, bias: false, ..Default::default() };
    nn::conv2d(vs, from, to, size, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_become_ten_logits_whatever_the_width_and_the_blocks() {
        for (width, blocks) in [(4, 1), (3, 2)] {
            let vs = nn::VarStore::new(Device::Cpu);
            let normalize = NormalizeConfig { mean: vec![0.286], std: vec![0.353] };
            let net = ResNet::build(&vs.root(), &ResNetConfig { width, blocks, normalize }).unwrap();
            let images = Tensor::rand([3, 1, 28, 28], (Kind::Float, Device::Cpu));
            assert_eq!(net.forward(&images, true).unwrap().size(), [3, 10]);
            assert_eq!(net.forward(&images, false).unwrap(), net.forward(&images, false).unwrap());
        }
    }
}
