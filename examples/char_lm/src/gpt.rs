//! A small transformer that guesses the next byte from those before it.
//!
//! Pre-norm blocks of causal self-attention and a two-layer network, as GPT-2 has them (Radford et al., 2019).

use engine::prelude::*;
use nn::{Init, Module as _};

/// The bytes.
pub const VOCABULARY: i64 = 256;

/// The standard deviation of new weights, GPT-2's.
const SCALE: f64 = 0.02;

/// The network.
#[derive(Debug)]
pub struct Gpt {
    tokens: nn::Embedding,
    positions: nn::Embedding,
    blocks: Vec<Block>,
    norm: nn::LayerNorm,
    block: i64,
    dropout: f64,
}

/// A transformer that guesses the next byte.
#[component]
pub struct GptConfig {
    /// Blocks one after the other.
    #[config(default = 4, range = 1..=64)]
    pub layers: i64,
    /// Heads of the attention; `width` has to be a multiple of it.
    #[config(default = 4, range = 1..=64)]
    pub heads: i64,
    /// Numbers that stand for one byte on its way through the blocks.
    #[config(default = 128, range = 1..=4096)]
    pub width: i64,
    /// The most bytes that can be seen at once: no window of the text may be longer.
    #[config(default = 128, range = 1..=65_536)]
    pub block: i64,
    /// The share of features that is left out at random in training.
    #[config(default = 0.0, range = 0.0..1.0)]
    pub dropout: f64,
}

impl Model for Gpt {
    type Config = GptConfig;

    fn build(vs: &nn::Path<'_>, config: &GptConfig) -> Result<Self> {
        let GptConfig { layers, heads, width, block, dropout } = *config;
        if width % heads != 0 {
            return Err(Error::msg(format!("`width` is {width}, which is no multiple of `heads`, {heads}")));
        }
        let table = nn::EmbeddingConfig { ws_init: normal(SCALE), ..Default::default() };
        Ok(Gpt {
            tokens: nn::embedding(vs / "tokens", VOCABULARY, width, table),
            positions: nn::embedding(vs / "positions", block, width, table),
            blocks: (0..layers).map(|n| Block::new(&(vs / "blocks" / n), config)).collect(),
            norm: nn::layer_norm(vs / "norm", vec![width], Default::default()),
            block,
            dropout,
        })
    }
}

impl Gpt {
    /// The most bytes that it can see at once.
    pub fn block(&self) -> usize {
        self.block as usize
    }

    /// Bytes `[n, t]` to the logits of the byte after each of them, `[n, t, 256]`.
    ///
    /// # Errors
    /// When there are more bytes than positions.
    pub fn forward(&self, tokens: &Tensor, train: bool) -> Result<Tensor> {
        let (_, length) = tokens.size2()?;
        if length > self.block {
            return Err(Error::msg(format!(
                "a window has {length} bytes, the model has positions for {}; set `block` of the model and of the datasets to the same number",
                self.block
            )));
        }
        let places = Tensor::arange(length, (Kind::Int64, tokens.device()));
        let mut x = (self.tokens.forward(tokens) + self.positions.forward(&places)).dropout(self.dropout, train);
        for block in &self.blocks {
            x = block.forward(&x, train);
        }
        // the table that turned bytes into features turns features into logits: fewer weights, and better ones
        Ok(self.norm.forward(&x).matmul(&self.tokens.ws.transpose(0, 1)))
    }
}

/// Attention, then a network at each place; both are added to what comes in.
#[derive(Debug)]
struct Block {
    norm_attention: nn::LayerNorm,
    /// Queries, keys and values at once.
    qkv: nn::Linear,
    mix: nn::Linear,
    norm_mlp: nn::LayerNorm,
    up: nn::Linear,
    down: nn::Linear,
    heads: i64,
    dropout: f64,
}

impl Block {
    fn new(vs: &nn::Path<'_>, config: &GptConfig) -> Self {
        let width = config.width;
        let norm = |name: &str| nn::layer_norm(vs / name, vec![width], Default::default());
        let linear = |name: &str, inputs: i64, outputs: i64, scale: f64| {
            let init = nn::LinearConfig { ws_init: normal(scale), bs_init: Some(Init::Const(0.0)), bias: true };
            nn::linear(vs / name, inputs, outputs, init)
        };
        // two of these are added in every block: the sum shall not grow with the number of blocks
        let added = SCALE / (2.0 * config.layers as f64).sqrt();
        Block {
            norm_attention: norm("norm_attention"),
            qkv: linear("qkv", width, 3 * width, SCALE),
            mix: linear("mix", width, width, added),
            norm_mlp: norm("norm_mlp"),
            up: linear("up", width, 4 * width, SCALE),
            down: linear("down", 4 * width, width, added),
            heads: config.heads,
            dropout: config.dropout,
        }
    }

    /// `[n, t, width]` to the same.
    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let x = x + self.attention(&self.norm_attention.forward(x), train).dropout(self.dropout, train);
        let features = self.up.forward(&self.norm_mlp.forward(&x)).gelu("tanh");
        &x + self.down.forward(&features).dropout(self.dropout, train)
    }

    fn attention(&self, x: &Tensor, train: bool) -> Tensor {
        let qkv = self.qkv.forward(x).chunk(3, -1);
        // [n, t, width] to [n, heads, t, width / heads]
        let heads = |part: &Tensor| part.unflatten(-1, [self.heads, -1]).transpose(1, 2);
        let (q, k, v) = (heads(&qkv[0]), heads(&qkv[1]), heads(&qkv[2]));
        let dropout = if train { self.dropout } else { 0.0 };
        // causal: no place sees what comes after it
        let seen = Tensor::scaled_dot_product_attention::<Tensor>(&q, &k, &v, None, dropout, true, None, false);
        self.mix.forward(&seen.transpose(1, 2).flatten(2, 3))
    }
}

fn normal(stdev: f64) -> Init {
    Init::Randn { mean: 0.0, stdev }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpt() -> (nn::VarStore, Gpt) {
        let vs = nn::VarStore::new(Device::Cpu);
        let config = GptConfig { layers: 2, heads: 2, width: 8, block: 6, dropout: 0.5 };
        let gpt = Gpt::build(&vs.root(), &config).unwrap();
        (vs, gpt)
    }

    #[test]
    fn no_place_sees_what_comes_after_it() {
        let (_vs, gpt) = gpt();
        let of = |bytes: &[i64]| gpt.forward(&Tensor::from_slice(bytes).unsqueeze(0), false).unwrap();
        let (one, other) = (of(&[1, 2, 3, 4, 5]), of(&[1, 2, 3, 9, 5]));
        assert_eq!(one.size(), [1, 5, VOCABULARY]);
        assert!(one.narrow(1, 0, 3).allclose(&other.narrow(1, 0, 3), 1e-5, 1e-6, false));
        assert!(!one.narrow(1, 4, 1).allclose(&other.narrow(1, 4, 1), 1e-5, 1e-6, false));
    }

    #[test]
    fn a_new_network_finds_every_byte_about_as_likely() {
        let (_vs, gpt) = gpt();
        let bytes = || Tensor::randint(VOCABULARY, [8, 6], (Kind::Int64, Device::Cpu));
        let logits = gpt.forward(&bytes(), false).unwrap();
        let loss = logits.flatten(0, 1).cross_entropy_for_logits(&bytes().flatten(0, 1));
        assert!((f64::try_from(loss).unwrap() - 256f64.ln()).abs() < 0.1);
    }

    #[test]
    fn a_window_without_positions_is_refused() {
        let (_vs, gpt) = gpt();
        let error = gpt.forward(&Tensor::zeros([1, 7], (Kind::Int64, Device::Cpu)), false).unwrap_err();
        assert!(error.to_string().starts_with("a window has 7 bytes, the model has positions for 6"), "{error}");
    }
}
