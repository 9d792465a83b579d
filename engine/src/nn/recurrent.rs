//! Recurrent layers.

use std::borrow::Borrow;
use tch::nn::{self, GRU, Init, LSTM, Path};

/// The settings of a recurrent layer.
#[derive(Clone, Copy, Debug)]
pub struct RNNConfig {
    /// Whether there are biases.
    pub has_biases: bool,
    /// The number of stacked layers.
    pub num_layers: i64,
    /// The probability of dropout between layers.
    pub dropout: f64,
    /// Whether dropout is active. `tch` fixes this when the layer is built, so dropout is then active in validations
    /// too.
    pub train: bool,
    /// Whether the layer also reads the sequence backwards.
    pub bidirectional: bool,
    /// Whether sequences are `[batch, length, features]`; else `[length, batch, features]`.
    pub batch_first: bool,
    /// The initial values of all weights and biases; `None`: uniform in ±1 / √hidden.
    pub init: Option<Init>,
}

/// The defaults of `torch.nn.LSTM(batch_first=True)`.
impl Default for RNNConfig {
    fn default() -> Self {
        RNNConfig {
            has_biases: true,
            num_layers: 1,
            dropout: 0.0,
            train: true,
            bidirectional: false,
            batch_first: true,
            init: None,
        }
    }
}

impl RNNConfig {
    fn of_tch(self, hidden: i64) -> nn::RNNConfig {
        let RNNConfig { has_biases, num_layers, dropout, train, bidirectional, batch_first, init } = self;
        let bound = 1.0 / (hidden.max(1) as f64).sqrt();
        let init = init.unwrap_or(Init::Uniform { lo: -bound, up: bound });
        let (w_ih_init, w_hh_init, b_ih_init, b_hh_init) = (init, init, Some(init), Some(init));
        nn::RNNConfig {
            has_biases,
            num_layers,
            dropout,
            train,
            bidirectional,
            batch_first,
            w_ih_init,
            w_hh_init,
            b_ih_init,
            b_hh_init,
        }
    }
}

/// Long short-term memory (Hochreiter and Schmidhuber, 1997): sequences of `inputs` numbers to sequences of `hidden`.
pub fn lstm<'a>(vs: impl Borrow<Path<'a>>, inputs: i64, hidden: i64, config: RNNConfig) -> LSTM {
    nn::lstm(vs, inputs, hidden, config.of_tch(hidden))
}

/// Gated recurrent units (Cho et al., 2014): sequences of `inputs` numbers to sequences of `hidden`.
pub fn gru<'a>(vs: impl Borrow<Path<'a>>, inputs: i64, hidden: i64, config: RNNConfig) -> GRU {
    nn::gru(vs, inputs, hidden, config.of_tch(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::uniform::tests::assert_uniform;
    use tch::Device;

    #[test]
    fn recurrent_layers_start_as_those_of_pytorch() {
        let vs = nn::VarStore::new(Device::Cpu);
        let config = RNNConfig { num_layers: 2, bidirectional: true, ..RNNConfig::default() };
        let _ = lstm(vs.root() / "lstm", 16, 64, config);
        let _ = gru(vs.root() / "gru", 16, 64, config);
        let variables = vs.variables();
        assert_eq!(variables.len(), 2 * 2 * 2 * 4);
        // weights and biases alike
        variables.values().for_each(|tensor| assert_uniform(tensor, 0.125));
    }
}
