//! The networks, their weights and their data: functions of nothing, the same here and in `peers.py`.

use engine::prelude::*;
use nn::Module as _;

/// Which network.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Kind {
    /// 64 → 128 → 10 with a ReLU, batches of 64: the smallest step that is a training.
    Tiny,
    /// Three 3 × 3 convolutions (32, 64, 128 channels) over images of 32 × 32, then a mean over places.
    Conv,
    /// Four pre-norm blocks of width 256 with 4 heads over 256 tokens, GPT-2's without dropout.
    Gpt,
}

/// Settings of GPT-2's kind.
const WIDTH: i64 = 256;
const HEADS: i64 = 4;
const LAYERS: i64 = 4;
const TOKENS: i64 = 256;
const VOCABULARY: i64 = 256;

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Tiny, Kind::Conv, Kind::Gpt];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Tiny => "tiny",
            Kind::Conv => "conv",
            Kind::Gpt => "gpt",
        }
    }

    /// As an experiment names it.
    pub(crate) fn variant(self) -> String {
        format!("{self:?}")
    }

    /// Samples of one batch. The CPU is given fewer, so that a round stays short.
    pub(crate) fn batch_size(self, device: Device) -> i64 {
        match (self, device) {
            (Kind::Tiny, _) => 64,
            (Kind::Conv, Device::Cpu) => 16,
            (Kind::Gpt, Device::Cpu) => 1,
            (Kind::Conv, _) => 128,
            (Kind::Gpt, _) => 16,
        }
    }

    /// What is counted per second, and how many of it one sample is.
    pub(crate) fn unit(self) -> (&'static str, i64) {
        match self {
            Kind::Tiny => ("samples", 1),
            Kind::Conv => ("images", 1),
            Kind::Gpt => ("tokens", TOKENS),
        }
    }

    /// A batch: inputs and targets, on this device.
    pub(crate) fn batch(self, device: Device) -> (Tensor, Tensor) {
        let n = self.batch_size(device);
        let (inputs, targets) = match self {
            Kind::Tiny => (spread(&[n, 64], 1000), numbers(&[n], 1001, 10)),
            Kind::Conv => (spread(&[n, 3, 32, 32], 1000), numbers(&[n], 1001, 10)),
            Kind::Gpt => (numbers(&[n, TOKENS], 1000, VOCABULARY), numbers(&[n, TOKENS], 1001, VOCABULARY)),
        };
        (inputs.to_device(device), targets.to_device(device))
    }
}

/// Gives the variables, sorted by name, the weights of the bench.
pub(crate) fn fill<'a>(variables: impl Iterator<Item = (&'a str, &'a Tensor)>) {
    tch::no_grad(|| {
        for (seed, (name, variable)) in variables.enumerate() {
            let size = variable.size();
            let spread = spread(&size, seed as i64);
            let values = if name.contains("norm") && name.ends_with("weight") {
                1.0 + 0.1 * spread
            } else if name.ends_with("bias") {
                0.01 * spread
            } else {
                spread * (1.0 / (variable.numel() as f64 / size[0] as f64).sqrt())
            };
            variable.shallow_clone().copy_(&values);
        }
    });
}

/// Numbers from -1 to 1 that look like noise, f32.
fn spread(size: &[i64], seed: i64) -> Tensor {
    ((scrambled(size, seed).to_kind(engine::tch::Kind::Double) / 1_073_741_824.0) - 1.0)
        .to_kind(engine::tch::Kind::Float)
}

/// Numbers from 0 to `below`, i64.
fn numbers(size: &[i64], seed: i64, below: i64) -> Tensor {
    scrambled(size, seed).remainder(below)
}

/// 31 bits for each place, by whole-number operations that libtorch does alike from every language.
fn scrambled(size: &[i64], seed: i64) -> Tensor {
    const MASK: i64 = 2_147_483_648;
    let places = Tensor::arange(size.iter().product::<i64>(), (engine::tch::Kind::Int64, Device::Cpu));
    let mut bits = (places * 1_103_515_245 + (seed * 12_345 + 1)).remainder(MASK);
    for factor in [747_796_405, 277_803_737] {
        let mixed = bits.bitwise_xor_tensor(&bits.bitwise_right_shift_tensor_scalar(15));
        bits = (mixed * factor).remainder(MASK);
    }
    bits.bitwise_xor_tensor(&bits.bitwise_right_shift_tensor_scalar(13)).view(size)
}

/// The settings of a network of the bench.
#[component]
pub struct BenchNetConfig {
    /// Which network.
    pub net: Kind,
}

/// A network of the bench.
#[derive(Debug)]
pub enum BenchNet {
    Tiny { up: nn::Linear, down: nn::Linear },
    Conv { convolutions: Vec<nn::Conv2D>, out: nn::Linear },
    Gpt { tokens: nn::Embedding, positions: nn::Embedding, blocks: Vec<Block>, norm: nn::LayerNorm, head: nn::Linear },
}

impl Model for BenchNet {
    type Config = BenchNetConfig;

    fn build(vs: &nn::Path<'_>, config: &BenchNetConfig) -> Result<Self> {
        Ok(Self::new(vs, config.net))
    }
}

impl BenchNet {
    pub(crate) fn new(vs: &nn::Path<'_>, net: Kind) -> Self {
        let linear = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        match net {
            Kind::Tiny => BenchNet::Tiny { up: linear("up", 64, 128), down: linear("down", 128, 10) },
            Kind::Conv => {
                let convolution = |(n, (from, to, stride))| {
                    let config = nn::ConvConfig { stride, padding: 1, ..Default::default() };
                    nn::conv2d(vs / format!("conv{n}"), from, to, 3, config)
                };
                let convolutions = [(3, 32, 1), (32, 64, 2), (64, 128, 2)].into_iter().enumerate().map(convolution);
                BenchNet::Conv { convolutions: convolutions.collect(), out: linear("out", 128, 10) }
            }
            Kind::Gpt => BenchNet::Gpt {
                tokens: nn::embedding(vs / "tokens", VOCABULARY, WIDTH, Default::default()),
                positions: nn::embedding(vs / "positions", TOKENS, WIDTH, Default::default()),
                blocks: (0..LAYERS).map(|n| Block::new(&(vs / "blocks" / n))).collect(),
                norm: nn::layer_norm(vs / "norm", vec![WIDTH], Default::default()),
                head: linear("head", WIDTH, VOCABULARY),
            },
        }
    }

    /// The loss of a batch, a scalar.
    pub(crate) fn loss(&self, inputs: &Tensor, targets: &Tensor) -> Tensor {
        match self {
            BenchNet::Tiny { up, down } => down.forward(&up.forward(inputs).relu()).cross_entropy_for_logits(targets),
            BenchNet::Conv { convolutions, out } => {
                let mut x = inputs.shallow_clone();
                for convolution in convolutions {
                    x = convolution.forward(&x).relu();
                }
                let features = x.mean_dim([2i64, 3].as_slice(), false, None);
                out.forward(&features).cross_entropy_for_logits(targets)
            }
            BenchNet::Gpt { tokens, positions, blocks, norm, head } => {
                let places = Tensor::arange(TOKENS, (engine::tch::Kind::Int64, inputs.device()));
                let mut x = tokens.forward(inputs) + positions.forward(&places);
                for block in blocks {
                    x = block.forward(&x);
                }
                let logits = head.forward(&norm.forward(&x));
                logits.flatten(0, 1).cross_entropy_for_logits(&targets.flatten(0, 1))
            }
        }
    }
}

/// Attention, then a network at each place; both are added to what comes in.
#[derive(Debug)]
pub struct Block {
    norm1: nn::LayerNorm,
    qkv: nn::Linear,
    mix: nn::Linear,
    norm2: nn::LayerNorm,
    up: nn::Linear,
    down: nn::Linear,
}

impl Block {
    fn new(vs: &nn::Path<'_>) -> Self {
        let norm = |name: &str| nn::layer_norm(vs / name, vec![WIDTH], Default::default());
        let linear = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        Block {
            norm1: norm("norm1"),
            qkv: linear("qkv", WIDTH, 3 * WIDTH),
            mix: linear("mix", WIDTH, WIDTH),
            norm2: norm("norm2"),
            up: linear("up", WIDTH, 4 * WIDTH),
            down: linear("down", 4 * WIDTH, WIDTH),
        }
    }

    /// `[n, t, width]` to the same.
    fn forward(&self, x: &Tensor) -> Tensor {
        let qkv = self.qkv.forward(&self.norm1.forward(x)).chunk(3, -1);
        let heads = |part: &Tensor| part.unflatten(-1, [HEADS, -1]).transpose(1, 2);
        let (q, k, v) = (heads(&qkv[0]), heads(&qkv[1]), heads(&qkv[2]));
        let seen = Tensor::scaled_dot_product_attention::<Tensor>(&q, &k, &v, None, 0.0, true, None, false);
        let x = x + self.mix.forward(&seen.transpose(1, 2).flatten(2, 3));
        &x + self.down.forward(&self.up.forward(&self.norm2.forward(&x)).gelu("tanh"))
    }
}
