//! ResNet-18 and GPT-2 with the names that torchvision and the hub give their layers.

use engine::prelude::*;
use nn::ModuleT as _;

/// Two convolutions and what goes past them.
#[derive(Debug)]
struct BasicBlock {
    conv1: nn::Conv2D,
    bn1: nn::BatchNorm,
    conv2: nn::Conv2D,
    bn2: nn::BatchNorm,
    downsample: Option<(nn::Conv2D, nn::BatchNorm)>,
}

fn conv(vs: nn::Path<'_>, inputs: i64, outputs: i64, size: i64, stride: i64) -> nn::Conv2D {
    let config = nn::ConvConfig { stride, padding: size / 2, bias: false, ..Default::default() };
    nn::conv2d(vs, inputs, outputs, size, config)
}

fn norm(vs: nn::Path<'_>, width: i64) -> nn::BatchNorm {
    nn::batch_norm2d(vs, width, Default::default())
}

impl BasicBlock {
    fn new(vs: &nn::Path<'_>, inputs: i64, outputs: i64, stride: i64) -> BasicBlock {
        let past = vs / "downsample";
        BasicBlock {
            conv1: conv(vs / "conv1", inputs, outputs, 3, stride),
            bn1: norm(vs / "bn1", outputs),
            conv2: conv(vs / "conv2", outputs, outputs, 3, 1),
            bn2: norm(vs / "bn2", outputs),
            downsample: (stride != 1 || inputs != outputs)
                .then(|| (conv(&past / "0", inputs, outputs, 1, stride), norm(&past / "1", outputs))),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let same = match &self.downsample {
            Some((conv, norm)) => norm.forward_t(&x.apply(conv), false),
            None => x.shallow_clone(),
        };
        let x = self.bn1.forward_t(&x.apply(&self.conv1), false).relu();
        (self.bn2.forward_t(&x.apply(&self.conv2), false) + same).relu()
    }
}

/// Images `[n, 3, h, w]` to logits `[n, 1000]`.
#[derive(Debug)]
pub(super) struct ResNet18 {
    conv1: nn::Conv2D,
    bn1: nn::BatchNorm,
    blocks: Vec<BasicBlock>,
    fc: nn::Linear,
}

impl ResNet18 {
    pub(super) fn new(vs: &nn::Path<'_>) -> ResNet18 {
        let mut blocks = Vec::new();
        for (layer, inputs, outputs, stride) in [(1, 64, 64, 1), (2, 64, 128, 2), (3, 128, 256, 2), (4, 256, 512, 2)] {
            let vs = vs / format!("layer{layer}");
            blocks.push(BasicBlock::new(&(&vs / "0"), inputs, outputs, stride));
            blocks.push(BasicBlock::new(&(&vs / "1"), outputs, outputs, 1));
        }
        ResNet18 {
            conv1: conv(vs / "conv1", 3, 64, 7, 2),
            bn1: norm(vs / "bn1", 64),
            blocks,
            fc: nn::linear(vs / "fc", 512, 1000, Default::default()),
        }
    }

    pub(super) fn forward(&self, images: &Tensor) -> Tensor {
        let x = self.bn1.forward_t(&images.apply(&self.conv1), false).relu();
        let x = x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(&x));
        x.mean_dim(&[2i64, 3][..], false, Kind::Float).apply(&self.fc)
    }
}

/// GPT-2's linear layer, whose weight is `[inputs, outputs]`.
#[derive(Debug)]
struct Conv1D {
    weight: Tensor,
    bias: Tensor,
}

impl Conv1D {
    fn new(vs: nn::Path<'_>, inputs: i64, outputs: i64) -> Conv1D {
        let weight = vs.var("weight", &[inputs, outputs], nn::Init::Const(0.0));
        Conv1D { weight, bias: vs.var("bias", &[outputs], nn::Init::Const(0.0)) }
    }
}

impl nn::Module for Conv1D {
    fn forward(&self, x: &Tensor) -> Tensor {
        x.matmul(&self.weight) + &self.bias
    }
}

/// Attention and two layers behind it.
#[derive(Debug)]
struct Block {
    ln_1: nn::LayerNorm,
    attn: (Conv1D, Conv1D),
    ln_2: nn::LayerNorm,
    mlp: (Conv1D, Conv1D),
}

impl Block {
    fn new(vs: &nn::Path<'_>, width: i64) -> Block {
        let (attn, mlp) = (vs / "attn", vs / "mlp");
        Block {
            ln_1: nn::layer_norm(vs / "ln_1", vec![width], Default::default()),
            attn: (Conv1D::new(&attn / "c_attn", width, 3 * width), Conv1D::new(&attn / "c_proj", width, width)),
            ln_2: nn::layer_norm(vs / "ln_2", vec![width], Default::default()),
            mlp: (Conv1D::new(&mlp / "c_fc", width, 4 * width), Conv1D::new(&mlp / "c_proj", 4 * width, width)),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let (n, length, width) = x.size3().unwrap();
        let parts = x.apply(&self.ln_1).apply(&self.attn.0).chunk(3, -1);
        let heads = |part: &Tensor| part.reshape([n, length, HEADS, width / HEADS]).transpose(1, 2);
        let (query, key, value) = (heads(&parts[0]), heads(&parts[1]), heads(&parts[2]));
        let scores = query.matmul(&key.transpose(-1, -2)) / ((width / HEADS) as f64).sqrt();
        let mask = Tensor::ones([length, length], (Kind::Bool, Device::Cpu)).tril(0).logical_not();
        let scores = scores.masked_fill(&mask, f64::NEG_INFINITY).softmax(-1, Kind::Float);
        let x = x + scores.matmul(&value).transpose(1, 2).reshape([n, length, width]).apply(&self.attn.1);
        &x + x.apply(&self.ln_2).apply(&self.mlp.0).gelu("tanh").apply(&self.mlp.1)
    }
}

const HEADS: i64 = 4;

/// Tokens `[n, length]` to logits `[n, length, 211]`. The last layer shares the weight of the first.
#[derive(Debug)]
pub(super) struct Gpt2 {
    wte: nn::Embedding,
    wpe: nn::Embedding,
    blocks: Vec<Block>,
    ln_f: nn::LayerNorm,
    lm_head: Tensor,
}

impl Gpt2 {
    pub(super) fn new(vs: &nn::Path<'_>) -> Gpt2 {
        let (inner, width) = (vs / "transformer", 48);
        let wte = nn::embedding(&inner / "wte", 211, width, Default::default());
        let lm_head = (vs / "lm_head").add("weight", wte.ws.shallow_clone(), true);
        Gpt2 {
            wpe: nn::embedding(&inner / "wpe", 32, width, Default::default()),
            blocks: (0..3).map(|block| Block::new(&(&inner / "h" / block), width)).collect(),
            ln_f: nn::layer_norm(&inner / "ln_f", vec![width], Default::default()),
            wte,
            lm_head,
        }
    }

    pub(super) fn forward(&self, tokens: &Tensor) -> Tensor {
        let positions = Tensor::arange(tokens.size()[1], (Kind::Int64, Device::Cpu));
        let x = tokens.apply(&self.wte) + positions.apply(&self.wpe);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(&x)).apply(&self.ln_f);
        x.matmul(&self.lm_head.tr()) / 48f64.sqrt()
    }
}
