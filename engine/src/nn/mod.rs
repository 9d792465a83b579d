//! Layers with the same initial values as in PyTorch.
//!
//! This module contains everything of `tch::nn`. `tch` draws the weights of a linear or convolutional layer from a
//! range that is √6 times as wide as in PyTorch, starts the bias of a convolution at zero, and draws the weights of
//! batch norm from 0 to 1. Networks that train in PyTorch may not train with these values. The functions of this
//! module replace them under the same names.
//!
//! | layers | initial values |
//! |---|---|
//! | `linear`, `conv1d`, …, `conv_transpose1d`, … | weight and bias uniformly in ±1 / √fan_in, where fan_in is the number of inputs of one output: `kaiming_uniform_` with `a = √5` |
//! | `lstm`, `gru` | weights and biases uniformly in ±1 / √hidden |
//! | `batch_norm1d`, …, `layer_norm`, `group_norm` | weight 1, bias 0 |
//! | `embedding` | normally distributed with a standard deviation of 1 |
//!
//! ```
//! use engine::prelude::*;
//!
//! let vs = nn::VarStore::new(Device::Cpu);
//! let layer = nn::linear(vs.root() / "layer", 64, 128, Default::default());
//! // 1 / √64
//! assert!(layer.ws.abs().max().double_value(&[]) <= 0.125);
//! ```

mod conv;
mod conv_norm;
mod conv_transpose;
mod frozen_norm;
mod linear;
mod norm;
mod recurrent;
mod uniform;

pub use conv::{ConvConfig, conv1d, conv2d, conv3d};
pub use conv_norm::{ConvNorm2d, ConvNormConfig, conv_norm2d};
pub use conv_transpose::{ConvTransposeConfig, conv_transpose1d, conv_transpose2d, conv_transpose3d};
pub use frozen_norm::{FrozenBatchNorm, frozen_batch_norm};
pub use linear::{LinearConfig, linear};
pub use norm::{BatchNorm, BatchNormConfig, MeansOverBatches, batch_norm1d, batch_norm2d, batch_norm3d};
pub use recurrent::{RNNConfig, gru, lstm};
pub use tch::nn::*;
pub use uniform::PYTORCH_UNIFORM;
