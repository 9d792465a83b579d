//! `precision:` of a training: in which kinds of numbers its steps compute.

use serde::{Deserialize, Serialize};
use tch::Kind;

/// In which kinds of numbers steps compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// Everything in `Float`, 32 bits. On CUDA without TF32, also in convolutions.
    #[default]
    F32,
    /// Everything in `Float`; matrix products and convolutions on CUDA by TF32, which has 10 bits of mantissa.
    Tf32,
    /// Short for `Mixed(Bf16)`.
    Bf16,
    /// Short for `Mixed(F16)`.
    F16,
    /// Parameters, gradients and updates in `Float`; matrix products and convolutions of steps in 16 bits, by libtorch's
    /// autocast. With `F16` the loss is scaled, so that small gradients are no zeros.
    Mixed(Half),
    /// Parameters, gradients, the optimizer's state and the batches' floats in 16 bits: half the memory, and updates that
    /// are lost where they are below 1/256 of a parameter.
    Pure(Pure),
}

/// A kind of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Half {
    /// `BFloat16`: the range of `Float`, 7 bits of mantissa.
    Bf16,
    /// `Half`: up to 65,504, 10 bits of mantissa.
    F16,
}

/// A kind that a whole training can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pure {
    /// `BFloat16`.
    Bf16,
}

impl Precision {
    /// The kind that autocast runs steps in; `None` without autocast.
    pub fn autocast(self) -> Option<Kind> {
        match self {
            Precision::Bf16 | Precision::Mixed(Half::Bf16) => Some(Kind::BFloat16),
            Precision::F16 | Precision::Mixed(Half::F16) => Some(Kind::Half),
            Precision::F32 | Precision::Tf32 | Precision::Pure(_) => None,
        }
    }

    /// The kind of parameters and of the floats of batches, when it is not that which they come in.
    pub fn parameters(self) -> Option<Kind> {
        match self {
            Precision::Pure(Pure::Bf16) => Some(Kind::BFloat16),
            _ => None,
        }
    }

    /// Whether the loss is scaled, since small gradients would be zeros in this precision.
    pub fn scales_loss(self) -> bool {
        self.autocast() == Some(Kind::Half)
    }

    /// Whether products and convolutions on CUDA may use TF32.
    pub fn is_tf32(self) -> bool {
        self == Precision::Tf32
    }
}
