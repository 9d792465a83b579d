//! The sections of an experiment that every trainer has.

use crate::base::Clock;
use crate::checkpoint::MirrorUrl;
use crate::loops::{EpochLoader, StepMode, TrainPlan, ValPlan};
use crate::optim::update::ScaleLr;
use crate::optim::{Clip, GradientScale, NonFinite, Precision};
use crate::run::Cadence;
use engine_macros::component;
use serde::{Deserialize, Serialize};
use tch::Device;

/// `train: (…)`: how far and how.
#[component(name = "train")]
pub struct TrainSettings {
    /// Epochs, of a training by epoch.
    #[config(default)]
    pub max_epochs: Option<u64>,
    /// Updates, of a training by iter; by epoch they are a limit besides the epochs.
    #[config(default)]
    pub max_iters: Option<u64>,
    /// Samples, of a training by iter, in place of updates: with another batch size it takes more or fewer updates.
    #[config(default)]
    pub max_samples: Option<u64>,
    /// Batches of one update, at most 65,536; their gradients are averaged. A pass may have its own number.
    #[config(default = 1)]
    pub accumulate: u64,
    /// Batches of one epoch, when not the whole loader; the next epoch goes on where this one ends.
    #[config(default)]
    pub batches_per_epoch: Option<u64>,
    /// Trains on the same batches again and again, the first so many of each train loader, with the same random numbers: a
    /// model that can't learn them by heart has a mistake. Everything else stays as planned.
    #[config(default)]
    pub overfit: Option<u64>,
    /// Clipping of the gradient before each update: `Norm(1.0)` or `Value(0.5)`. A pass may have its own.
    #[config(default)]
    pub clip: Option<Clip>,
    /// Factors for gradients, by patterns of their parameters' names as in `groups` of an optimizer:
    /// `[(pattern: "backbone.*", factor: 0.1)]`. The first that matches counts. They come before clipping.
    #[config(default)]
    pub gradient_scale: Vec<GradientScale>,
    /// What happens to an update whose gradient is not finite: `Apply`, the weights take it in; `Skip`, it is left out
    /// and counted, without a wait for the device; `Stop`, the weights stay as they are from then on, and the training
    /// fails when the next row is written.
    #[config(default)]
    pub non_finite: NonFinite,
    /// In which kinds of numbers steps compute: `F32`, `Tf32`, mixed precision by `Bf16` or `F16` (short for `Mixed(Bf16)`
    /// and `Mixed(F16)`), or `Pure(Bf16)`.
    #[config(default)]
    pub precision: Precision,
    /// Multiplies the learning rates of the file, which were chosen for updates of so many samples, by the samples of an
    /// update / `base_batch`: `(base_batch: 256)`. An update has `batch_size` × `accumulate` × ranks samples.
    #[config(default)]
    pub scale_lr: Option<ScaleLr>,
    /// How steps are taken: `Eager`, or `CudaGraph()`, which on CUDA records the kernels of a step once and launches them
    /// together from then on. The bits are the same.
    #[config(default)]
    pub step: StepMode,
}

/// `val: (…)`: when the training validates.
#[component(name = "val")]
pub struct ValSettings {
    /// Epochs, iters or samples between two validations; by default 1 epoch, 1000 iters, or 100,000 samples.
    #[config(default)]
    pub interval: Option<u64>,
    /// No validation before this count.
    #[config(default = 0)]
    pub begin: u64,
    /// `(milestone, interval)`: from the milestone on, another interval.
    #[config(default)]
    pub dynamic_intervals: Vec<(u64, u64)>,
    /// The clock of all these counts; by default the trainer's.
    #[config(default)]
    pub by: Option<Clock>,
    /// Also when the training ends, if the last weights have not been validated.
    #[config(default = true)]
    pub at_end: bool,
    /// Batches of each val loader that are tried before the training begins, without a trace, so that a mistake in
    /// `val_step` or a metric shows at once; 0 leaves it out.
    #[config(default = 2)]
    pub sanity: u64,
}

/// `resume:`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resume {
    /// A folder that holds a run is refused, unless `--resume` or `--fresh` says what is to become of it.
    #[default]
    OnRequest,
    /// The run goes on where there is one, and else it begins.
    Auto,
}

/// `checkpoints: (…)`.
#[component(name = "checkpoints")]
#[derive(Default)]
pub struct CheckpointSettings {
    /// A place in object storage, `"s3://bucket/prefix"`, where finished checkpoints are copied to, below the name of the run,
    /// and from where a run is resumed whose folder is gone. It takes the feature `s3` of the engine.
    #[config(default)]
    pub mirror: Option<MirrorUrl>,
}

/// `device:`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceChoice {
    /// The processor.
    Cpu,
    /// A CUDA device by its number.
    Cuda(usize),
    /// The first CUDA device where there is one, else the processor.
    #[default]
    Auto,
}

impl Default for TrainSettings {
    fn default() -> Self {
        TrainSettings {
            max_epochs: None,
            max_iters: None,
            max_samples: None,
            accumulate: 1,
            batches_per_epoch: None,
            overfit: None,
            clip: None,
            gradient_scale: Vec::new(),
            non_finite: NonFinite::Apply,
            scale_lr: None,
            precision: Precision::F32,
            step: StepMode::Eager,
        }
    }
}

impl Default for ValSettings {
    fn default() -> Self {
        ValSettings { interval: None, begin: 0, dynamic_intervals: Vec::new(), by: None, at_end: true, sanity: 2 }
    }
}

impl TrainSettings {
    /// The plan of the loops.
    pub(crate) fn plan(&self) -> TrainPlan {
        TrainPlan {
            max_epochs: self.max_epochs,
            max_iters: self.max_iters,
            max_samples: self.max_samples,
            accumulate: self.accumulate.max(1),
            batches_per_epoch: self.batches_per_epoch,
            overfit: self.overfit,
            epoch_loader: EpochLoader::default(),
            clip: self.clip,
            passes: Vec::new(),
            non_finite: self.non_finite,
            step: self.step,
            profile: None,
            stop_after: None,
            time_limit: None,
            past_end: false,
        }
    }
}

impl ValSettings {
    /// The plan of the loops, for a trainer on this clock.
    pub(crate) fn plan(&self, clock: Clock) -> ValPlan {
        let cadence = Cadence::new(self.interval, self.begin, self.by, clock);
        let mut dynamic_intervals = self.dynamic_intervals.clone();
        dynamic_intervals.sort_unstable();
        ValPlan {
            interval: cadence.interval,
            begin: cadence.begin,
            dynamic_intervals,
            by: cadence.by,
            at_end: self.at_end,
            sanity: self.sanity,
        }
    }
}

impl DeviceChoice {
    /// The device, if it is there.
    ///
    /// # Errors
    /// A text that says which devices there are.
    pub fn resolve(self) -> Result<Device, String> {
        self.resolve_for(0)
    }

    /// The device of one of several processes of this machine, by its number among them: each has a CUDA device of its own,
    /// from the chosen one on.
    ///
    /// # Errors
    /// A text that says which devices there are.
    pub fn resolve_for(self, local_rank: usize) -> Result<Device, String> {
        let count = tch::Cuda::device_count().max(0) as usize;
        let own = match self {
            DeviceChoice::Auto if count > 0 => DeviceChoice::Cuda(local_rank),
            DeviceChoice::Cuda(first) => DeviceChoice::Cuda(first.saturating_add(local_rank)),
            choice => choice,
        };
        match own {
            DeviceChoice::Cpu | DeviceChoice::Auto => Ok(Device::Cpu),
            DeviceChoice::Cuda(index) if index < count => Ok(Device::Cuda(index)),
            DeviceChoice::Cuda(index) if count == 0 => {
                Err(format!("there is no device `Cuda({index})`: libtorch finds no CUDA device; use `Cpu` or `Auto`"))
            }
            DeviceChoice::Cuda(index) => Err(format!(
                "there is no device `Cuda({index})`: libtorch finds {count}, `Cuda(0)` to `Cuda({})`",
                count - 1
            )),
        }
    }
}
