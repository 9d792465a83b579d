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
    /// GPT-2 with 124 M parameters over 1024 tokens, without dropout.
    Gpt2,
    /// ResNet-50 over images of 224 × 224.
    Resnet50,
}

/// Images of a batch that is measured, and their height and width. A CPU is given less.
pub(crate) fn image_sizes(device: Device) -> (i64, i64) {
    if device == Device::Cpu { (4, 32) } else { (64, 224) }
}

/// The sizes of a GPT.
#[derive(Clone, Copy)]
struct Sizes {
    width: i64,
    heads: i64,
    layers: i64,
    tokens: i64,
    vocabulary: i64,
}

const SMALL_GPT: Sizes = Sizes { width: 256, heads: 4, layers: 4, tokens: 256, vocabulary: 256 };
const GPT2: Sizes = Sizes { width: 768, heads: 12, layers: 12, tokens: 1024, vocabulary: 50_257 };

impl Kind {
    /// Those that a CPU is fast enough for.
    pub(crate) const SMALL: [Kind; 3] = [Kind::Tiny, Kind::Conv, Kind::Gpt];
    pub(crate) const ALL: [Kind; 5] = [Kind::Tiny, Kind::Conv, Kind::Gpt, Kind::Gpt2, Kind::Resnet50];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Tiny => "tiny",
            Kind::Conv => "conv",
            Kind::Gpt => "gpt",
            Kind::Gpt2 => "gpt2",
            Kind::Resnet50 => "resnet50",
        }
    }

    /// Its learning rate: a large network in 16 bits goes its own way with a large one.
    pub(crate) fn lr(self) -> &'static str {
        if Kind::SMALL.contains(&self) { "1e-3" } else { "1e-4" }
    }

    /// What it computes in.
    pub(crate) fn precision(self) -> &'static str {
        if Kind::SMALL.contains(&self) { "F32" } else { "Bf16" }
    }

    /// Whether the channels of its images come last in memory.
    pub(crate) fn is_channels_last(self) -> bool {
        self == Kind::Resnet50
    }

    fn sizes(self) -> Sizes {
        if self == Kind::Gpt2 { GPT2 } else { SMALL_GPT }
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
            (Kind::Gpt | Kind::Gpt2, Device::Cpu) => 1,
            (Kind::Resnet50, Device::Cpu) => 2,
            (Kind::Conv, _) => 128,
            (Kind::Gpt | Kind::Gpt2, _) => 16,
            (Kind::Resnet50, _) => 256,
        }
    }

    /// What is counted per second, and how many of it one sample is.
    pub(crate) fn unit(self) -> (&'static str, i64) {
        match self {
            Kind::Tiny => ("samples", 1),
            Kind::Conv | Kind::Resnet50 => ("images", 1),
            Kind::Gpt | Kind::Gpt2 => ("tokens", self.sizes().tokens),
        }
    }

    /// A batch: inputs and targets, on this device.
    pub(crate) fn batch(self, device: Device) -> (Tensor, Tensor) {
        let n = self.batch_size(device);
        let (inputs, targets) = match self {
            Kind::Tiny => (spread(&[n, 64], 1000), numbers(&[n], 1001, 10)),
            Kind::Conv => (spread(&[n, 3, 32, 32], 1000), numbers(&[n], 1001, 10)),
            Kind::Gpt | Kind::Gpt2 => {
                let Sizes { tokens, vocabulary, .. } = self.sizes();
                (numbers(&[n, tokens], 1000, vocabulary), numbers(&[n, tokens], 1001, vocabulary))
            }
            Kind::Resnet50 => (spread(&[n, 3, 224, 224], 1000), numbers(&[n], 1001, 1000)),
        };
        (inputs.to_device(device), targets.to_device(device))
    }
}

/// Gives the variables, sorted by name, the weights of the bench.
pub(crate) fn fill<'a>(variables: impl Iterator<Item = (&'a str, &'a Tensor)>) {
    tch::no_grad(|| {
        // not the statistics of batch norms, which are no weights
        let weights = variables.filter(|(name, _)| !name.contains("running_"));
        for (seed, (name, variable)) in weights.enumerate() {
            let size = variable.size();
            let spread = spread(&size, seed as i64);
            let values = if size.len() == 1 && name.ends_with("weight") {
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
pub(crate) fn spread(size: &[i64], seed: i64) -> Tensor {
    ((scrambled(size, seed).to_kind(engine::tch::Kind::Double) / 1_073_741_824.0) - 1.0)
        .to_kind(engine::tch::Kind::Float)
}

/// Numbers from 0 to `below`, i64.
pub(crate) fn numbers(size: &[i64], seed: i64, below: i64) -> Tensor {
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
    Gpt(Gpt),
    Resnet50(Resnet),
}

/// A GPT; without a head of its own its output has the weights of its tokens.
#[derive(Debug)]
pub struct Gpt {
    tokens: nn::Embedding,
    positions: nn::Embedding,
    blocks: Vec<Block>,
    norm: nn::LayerNorm,
    head: Option<nn::Linear>,
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
            Kind::Gpt | Kind::Gpt2 => BenchNet::Gpt(Gpt::new(vs, net)),
            Kind::Resnet50 => BenchNet::Resnet50(Resnet::new(vs)),
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
            BenchNet::Gpt(gpt) => {
                // as PyTorch's: under autocast it is computed in `Float` throughout
                let (logits, targets) = (gpt.forward(inputs).flatten(0, 1), targets.flatten(0, 1));
                logits.cross_entropy_loss::<Tensor>(&targets, None, engine::tch::Reduction::Mean, -100, 0.0)
            }
            BenchNet::Resnet50(resnet) => resnet.forward(inputs).cross_entropy_for_logits(targets),
        }
    }
}

impl Gpt {
    fn new(vs: &nn::Path<'_>, net: Kind) -> Self {
        let Sizes { width, heads, layers, tokens, vocabulary } = net.sizes();
        let own_head = (net == Kind::Gpt).then(|| nn::linear(vs / "head", width, vocabulary, Default::default()));
        Gpt {
            tokens: nn::embedding(vs / "tokens", vocabulary, width, Default::default()),
            positions: nn::embedding(vs / "positions", tokens, width, Default::default()),
            blocks: (0..layers).map(|n| Block::new(&(vs / "blocks" / n), width, heads)).collect(),
            norm: nn::layer_norm(vs / "norm", vec![width], Default::default()),
            head: own_head,
        }
    }

    /// `[n, t]` to logits `[n, t, vocabulary]`.
    fn forward(&self, inputs: &Tensor) -> Tensor {
        let places = Tensor::arange(inputs.size()[1], (engine::tch::Kind::Int64, inputs.device()));
        let mut x = self.tokens.forward(inputs) + self.positions.forward(&places);
        for block in &self.blocks {
            x = block.forward(&x);
        }
        let x = self.norm.forward(&x);
        match &self.head {
            Some(head) => head.forward(&x),
            None => x.linear::<Tensor>(&self.tokens.ws, None),
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
    heads: i64,
}

impl Block {
    fn new(vs: &nn::Path<'_>, width: i64, heads: i64) -> Self {
        let norm = |name: &str| nn::layer_norm(vs / name, vec![width], Default::default());
        let linear = |name: &str, inputs, outputs| nn::linear(vs / name, inputs, outputs, Default::default());
        Block {
            norm1: norm("norm1"),
            qkv: linear("qkv", width, 3 * width),
            mix: linear("mix", width, width),
            norm2: norm("norm2"),
            up: linear("up", width, 4 * width),
            down: linear("down", 4 * width, width),
            heads,
        }
    }

    /// `[n, t, width]` to the same.
    fn forward(&self, x: &Tensor) -> Tensor {
        let qkv = self.qkv.forward(&self.norm1.forward(x)).chunk(3, -1);
        let heads = |part: &Tensor| part.unflatten(-1, [self.heads, -1]).transpose(1, 2);
        let (q, k, v) = (heads(&qkv[0]), heads(&qkv[1]), heads(&qkv[2]));
        let seen = Tensor::scaled_dot_product_attention::<Tensor>(&q, &k, &v, None, 0.0, true, None, false);
        let x = x + self.mix.forward(&seen.transpose(1, 2).flatten(2, 3));
        &x + self.down.forward(&self.up.forward(&self.norm2.forward(&x)).gelu("tanh"))
    }
}

/// ResNet-50 (He et al., 2015), with the stride in the middle convolution of a block, as torchvision has it.
#[derive(Debug)]
pub struct Resnet {
    conv1: nn::Conv2D,
    bn1: nn::BatchNorm,
    blocks: Vec<Bottleneck>,
    fc: nn::Linear,
}

/// Convolutions of 1 × 1, 3 × 3 and 1 × 1, added to what comes in.
#[derive(Debug)]
pub struct Bottleneck {
    layers: Vec<(nn::Conv2D, nn::BatchNorm)>,
    shortcut: Option<(nn::Conv2D, nn::BatchNorm)>,
}

fn convolution(vs: nn::Path<'_>, from: i64, to: i64, size: i64, stride: i64) -> nn::Conv2D {
    let config = nn::ConvConfig { stride, padding: size / 2, bias: false, ..Default::default() };
    nn::conv2d(vs, from, to, size, config)
}

impl Resnet {
    fn new(vs: &nn::Path<'_>) -> Self {
        let mut blocks = Vec::new();
        let mut from = 64;
        for (stage, (width, count)) in [(64, 3), (128, 4), (256, 6), (512, 3)].into_iter().enumerate() {
            for place in 0..count {
                let stride = if place == 0 && stage > 0 { 2 } else { 1 };
                let vs = vs / format!("layer{}", stage + 1) / place;
                blocks.push(Bottleneck::new(&vs, from, width, stride));
                from = 4 * width;
            }
        }
        Resnet {
            conv1: convolution(vs / "conv1", 3, 64, 7, 2),
            bn1: nn::batch_norm2d(vs / "bn1", 64, Default::default()),
            blocks,
            fc: nn::linear(vs / "fc", from, 1000, Default::default()),
        }
    }

    fn forward(&self, images: &Tensor) -> Tensor {
        let x = images.apply(&self.conv1).apply_t(&self.bn1, true).relu();
        let mut x = x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        for block in &self.blocks {
            x = block.forward(&x);
        }
        x.mean_dim([2i64, 3].as_slice(), false, None).apply(&self.fc)
    }
}

impl Bottleneck {
    fn new(vs: &nn::Path<'_>, from: i64, width: i64, stride: i64) -> Self {
        let norm = |name: String, channels| nn::batch_norm2d(vs / name, channels, Default::default());
        let sizes = [(from, width, 1, 1), (width, width, 3, stride), (width, 4 * width, 1, 1)];
        let layer = |(n, (from, to, size, stride)): (usize, (i64, i64, i64, i64))| {
            let n = n + 1;
            (convolution(vs / format!("conv{n}"), from, to, size, stride), norm(format!("bn{n}"), to))
        };
        let shortcut = (stride != 1 || from != 4 * width).then(|| {
            let down = vs / "downsample";
            (
                convolution(&down / 0, from, 4 * width, 1, stride),
                nn::batch_norm2d(&down / 1, 4 * width, Default::default()),
            )
        });
        Bottleneck { layers: sizes.into_iter().enumerate().map(layer).collect(), shortcut }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let of =
            |x: &Tensor, (convolution, norm): &(nn::Conv2D, nn::BatchNorm)| x.apply(convolution).apply_t(norm, true);
        let (inner, last) = self.layers.split_at(2);
        let y = inner.iter().fold(x.shallow_clone(), |y, layer| of(&y, layer).relu());
        let y = of(&y, &last[0]);
        let shortcut = self.shortcut.as_ref().map_or_else(|| x.shallow_clone(), |shortcut| of(x, shortcut));
        (y + shortcut).relu()
    }
}
