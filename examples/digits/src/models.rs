//! Two networks; an experiment chooses one of them by its name.
//!
//! tch's operators panic on a wrong shape. Nothing has to be done about that here: the engine makes an error of it
//! that names the step, and the run ends in good order.

use engine::prelude::*;
use nn::Module as _;

const CLASSES: i64 = 10;

/// Convolutions, which know that neighbouring pixels belong together.
#[derive(Debug)]
pub struct Cnn {
    first: nn::Conv2D,
    second: nn::Conv2D,
    third: nn::Conv2D,
    out: nn::Linear,
    dropout: f64,
}

/// Three layers of convolutions and one linear layer.
#[component(model)]
pub struct CnnConfig {
    /// Channels of the first layer; the others have twice as many.
    #[config(default = 32, range = 1..=1024)]
    pub width: i64,
    /// The share of features that is left out at random in training.
    #[config(default = 0.2, range = 0.0..1.0)]
    pub dropout: f64,
}

impl Model for Cnn {
    type Config = CnnConfig;

    fn build(vs: &nn::Path<'_>, config: &CnnConfig) -> Result<Self> {
        let width = config.width;
        let padded = nn::ConvConfig { padding: 1, ..Default::default() };
        Ok(Cnn {
            first: nn::conv2d(vs / "first", 1, width, 3, padded),
            second: nn::conv2d(vs / "second", width, 2 * width, 3, padded),
            third: nn::conv2d(vs / "third", 2 * width, 2 * width, 3, padded),
            out: nn::linear(vs / "out", 2 * width * 4, CLASSES, Default::default()),
            dropout: config.dropout,
        })
    }
}

impl Net for Cnn {
    /// Images `[n, 1, 8, 8]` to logits `[n, 10]`.
    fn forward(&self, images: &Tensor, train: bool) -> Result<Tensor> {
        let features = self.first.forward(images).relu(); // [n, width, 8, 8]
        let features = self.second.forward(&features).relu().max_pool2d_default(2); // [n, 2 width, 4, 4]
        let features = self.third.forward(&features).relu().max_pool2d_default(2); // [n, 2 width, 2, 2]
        Ok(self.out.forward(&features.flatten(1, 3).dropout(self.dropout, train)))
    }
}

/// One hidden layer, to which an image is a row of 64 numbers in no particular order.
#[derive(Debug)]
pub struct Mlp {
    hidden: nn::Linear,
    out: nn::Linear,
    dropout: f64,
}

/// One hidden layer and one linear layer.
#[component(model)]
pub struct MlpConfig {
    /// Features of the hidden layer.
    #[config(default = 128, range = 1..=4096)]
    pub hidden: i64,
    /// The share of features that is left out at random in training.
    #[config(default = 0.2, range = 0.0..1.0)]
    pub dropout: f64,
}

impl Model for Mlp {
    type Config = MlpConfig;

    fn build(vs: &nn::Path<'_>, config: &MlpConfig) -> Result<Self> {
        Ok(Mlp {
            hidden: nn::linear(vs / "hidden", 64, config.hidden, Default::default()),
            out: nn::linear(vs / "out", config.hidden, CLASSES, Default::default()),
            dropout: config.dropout,
        })
    }
}

impl Net for Mlp {
    /// Images `[n, 1, 8, 8]` to logits `[n, 10]`.
    fn forward(&self, images: &Tensor, train: bool) -> Result<Tensor> {
        let features = self.hidden.forward(&images.flatten(1, 3)).relu();
        Ok(self.out.forward(&features.dropout(self.dropout, train)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_networks_give_ten_logits_for_each_image() {
        let vs = nn::VarStore::new(Device::Cpu);
        let images = Tensor::rand([3, 1, 8, 8], (Kind::Float, Device::Cpu));
        let cnn = Cnn::build(&(vs.root() / "cnn"), &CnnConfig { width: 4, dropout: 0.5 }).unwrap();
        let mlp = Mlp::build(&(vs.root() / "mlp"), &MlpConfig { hidden: 4, dropout: 0.5 }).unwrap();
        for net in [&cnn as &dyn Net, &mlp] {
            assert_eq!(net.forward(&images, true).unwrap().size(), [3, 10]);
            // chance is for the training alone
            assert_eq!(net.forward(&images, false).unwrap(), net.forward(&images, false).unwrap());
        }
    }
}
