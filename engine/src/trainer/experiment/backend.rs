//! The section `backend`: how libtorch computes, apart from the kinds of numbers.

use crate::native::MatmulPrecision;
use engine_macros::component;

/// `backend: (…)`: how libtorch computes. All but `channels_last` holds for the process.
#[component(name = "backend")]
pub struct BackendSettings {
    /// How products of 32-bit matrices are computed on CUDA: `Highest` in 32 bits, `High` by TF32, `Medium` by one
    /// `BFloat16`. By default `Highest`, and with `train: (precision: Tf32)` `High`.
    #[config(default)]
    pub matmul: Option<MatmulPrecision>,
    /// Lets cuDNN try its algorithms for each new shape and take the fastest: for inputs of few shapes. The choice may
    /// differ from run to run, and with it the last bits.
    #[config(default = false)]
    pub cudnn_benchmark: bool,
    /// Images `[n, c, h, w]` and the weights of convolutions lie as n × h × w × c in memory, which is faster for convolutions
    /// in 16 bits on CUDA. Changes the last bits of results.
    #[config(default = false)]
    pub channels_last: bool,
    /// Takes numbers of the CPU that are too small for a full mantissa (below 1.2e-38 in `Float`) for zero. Operators on such
    /// numbers are many times slower; they appear in moments of optimizers. Changes the last bits of results.
    #[config(default = false)]
    pub flush_denormals: bool,
    /// Keeps memory of the CPU that a step has freed for the next step, instead of returning it to the system and asking for
    /// it again in every iter.
    #[config(default = true)]
    pub keep_memory: bool,
}

impl Default for BackendSettings {
    fn default() -> Self {
        BackendSettings {
            matmul: None,
            cudnn_benchmark: false,
            channels_last: false,
            flush_denormals: false,
            keep_memory: true,
        }
    }
}
