//! Layers that start as those of PyTorch do.
//!
//! Everything of `tch::nn` is here. `tch` draws the weights of a linear or convolutional layer from a range that is √6
//! times as wide as PyTorch's, and starts the bias of a convolution at zero: networks that train in PyTorch may not
//! train then. The functions of this module take their place under the same names. A weight and its bias start
//! uniformly in ±1 / √fan_in, where fan_in is the number of inputs of one output: what `torch.nn.Linear` and
//! `torch.nn.Conv2d` do (`kaiming_uniform_` with `a = √5`).
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
mod linear;
mod uniform;

pub use conv::{ConvConfig, conv1d, conv2d, conv3d};
pub use linear::{LinearConfig, linear};
pub use tch::nn::*;
pub use uniform::PYTORCH_UNIFORM;
