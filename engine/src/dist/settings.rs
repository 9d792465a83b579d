//! The section `dist` of an experiment.

use engine_macros::component;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `dist: (…)`: a training in several processes.
#[component(name = "dist")]
#[derive(PartialEq)]
pub struct DistSettings {
    /// How many processes train together, each on its own part of every batch; `train` starts them on this machine, unless
    /// a launcher such as `torchrun` has. By default as many as the launcher has started, and one without a launcher.
    #[config(default, range = 1..=65536)]
    pub ranks: Option<usize>,
    /// Seconds after which a process that waits for another one ends with an error. The others also wait while rank 0 reads
    /// a checkpoint, and while it writes one that is not written in the background.
    #[config(default = 600.0, range = 0.1..=1e6)]
    pub timeout: f64,
    /// Looks in each forward pass for parameters that it has not used, for models that leave some out. It costs some time;
    /// without it, backward has to reach every parameter that takes gradients, on every rank.
    #[config(default = false)]
    pub find_unused: bool,
    /// Megabytes of gradients that are exchanged at once, while backward goes on.
    #[config(default = 25.0, range = 0.001..=100000.0)]
    pub bucket_mb: f64,
    /// In which numbers gradients are exchanged: `Bf16` and `F16` halve what is sent, and round each gradient.
    #[config(default = Compress::Off)]
    pub compress: Compress,
    /// Divides the state of the optimizers over the ranks: each updates its part of the parameters, and gives them to the
    /// others (ZeRO, stage 1). The weights are the same to the bit.
    #[config(default = false)]
    pub shard_optimizer: bool,
    /// Batch norm takes means and variances over the batches of all ranks in training, as in one process. Each layer then waits for
    /// all ranks in its forward pass and in its backward.
    #[config(default = false)]
    pub sync_batch_norm: bool,
}

/// How gradients are made smaller before they are exchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compress {
    /// They are exchanged as they are.
    #[default]
    Off,
    /// As `BFloat16`: 8 bits of precision, and the range of `Float`.
    Bf16,
    /// As `Half`: 11 bits of precision; what is above 65,504 becomes infinite, and what is below 6e-8 zero.
    F16,
}

impl Default for DistSettings {
    fn default() -> Self {
        DistSettings {
            ranks: None,
            timeout: 600.0,
            find_unused: false,
            bucket_mb: 25.0,
            compress: Compress::Off,
            shard_optimizer: false,
            sync_batch_norm: false,
        }
    }
}

impl DistSettings {
    /// [`DistSettings::timeout`], as a span of time.
    pub fn time(&self) -> Duration {
        Duration::try_from_secs_f64(self.timeout).unwrap_or(Duration::MAX)
    }
}
