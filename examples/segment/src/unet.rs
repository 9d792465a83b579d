//! A U-Net (Ronneberger et al., 2015): down to a quarter of the size and back, with the features of each size kept.

use engine::prelude::*;

/// Two convolutions, each with batch norm and a ReLU.
#[derive(Debug)]
struct Pair([(nn::Conv2D, nn::BatchNorm); 2]);

impl Pair {
    fn new(vs: &nn::Path<'_>, inputs: i64, outputs: i64) -> Self {
        let config = nn::ConvConfig { padding: 1, bias: false, ..Default::default() };
        let layer = |number: i64, inputs| {
            let vs = vs / number;
            let convolution = nn::conv2d(&vs / "conv", inputs, outputs, 3, config);
            (convolution, nn::batch_norm2d(&vs / "norm", outputs, Default::default()))
        };
        Pair([layer(0, inputs), layer(1, outputs)])
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.0.iter().fold(x.shallow_clone(), |x, (convolution, norm)| x.apply(convolution).apply_t(norm, train).relu())
    }
}

/// The network.
#[derive(Debug)]
pub struct UNet {
    down: [Pair; 2],
    bottom: Pair,
    up: [(nn::ConvTranspose2D, Pair); 2],
    out: nn::Conv2D,
}

/// A U-Net with three sizes.
#[component]
pub struct UNetConfig {
    /// Channels at full size; each smaller size has twice as many.
    #[config(default = 16, range = 1..=512)]
    pub width: i64,
    /// Classes of pixels, the ground among them.
    #[config(default = 4, range = 2..=1000)]
    pub classes: i64,
}

impl Model for UNet {
    type Config = UNetConfig;

    fn build(vs: &nn::Path<'_>, config: &UNetConfig) -> Result<Self> {
        let width = config.width;
        let up = |name: &str, outputs: i64| {
            let vs = vs / name;
            let stride = nn::ConvTransposeConfig { stride: 2, ..Default::default() };
            let wider = nn::conv_transpose2d(&vs / "wider", 2 * outputs, outputs, 2, stride);
            (wider, Pair::new(&(&vs / "pair"), 2 * outputs, outputs))
        };
        Ok(UNet {
            down: [Pair::new(&(vs / "down0"), 3, width), Pair::new(&(vs / "down1"), width, 2 * width)],
            bottom: Pair::new(&(vs / "bottom"), 2 * width, 4 * width),
            up: [up("up1", 2 * width), up("up0", width)],
            out: nn::conv2d(vs / "out", width, config.classes, 1, Default::default()),
        })
    }
}

impl UNet {
    /// Pictures `[n, 3, h, w]`, with sides that 4 divides, to logits `[n, classes, h, w]`.
    pub fn forward(&self, pictures: &Tensor, train: bool) -> Tensor {
        let full = self.down[0].forward(pictures, train);
        let half = self.down[1].forward(&full.max_pool2d_default(2), train);
        let mut x = self.bottom.forward(&half.max_pool2d_default(2), train);
        for ((wider, pair), kept) in self.up.iter().zip([half, full]) {
            x = pair.forward(&Tensor::cat(&[x.apply(wider), kept], 1), train);
        }
        x.apply(&self.out)
    }
}
