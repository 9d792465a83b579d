//! A training engine for libtorch. Attributes make structs trainers, hooks and components; experiments are RON files,
//! which are checked before they run. A program consists of a model, a dataset and the steps of a trainer. One line,
//! `engine::main!`, makes it a command line program:
//!
//! ```no_run,test_harness
//! use engine::prelude::*;
//!
//! #[component]
//! pub struct LinearConfig {
//!     #[config(default = 1)]
//!     pub inputs: i64,
//! }
//!
//! pub struct Linear(nn::Linear);
//!
//! impl Model for Linear {
//!     type Config = LinearConfig;
//!     fn build(vs: &nn::Path<'_>, config: &LinearConfig) -> Result<Self> {
//!         Ok(Linear(nn::linear(vs, config.inputs, 1, Default::default())))
//!     }
//! }
//!
//! #[component(dataset)]
//! pub struct LineConfig {
//!     pub points: usize,
//! }
//!
//! pub struct Line(usize);
//!
//! impl Dataset for Line {
//!     type Config = LineConfig;
//!     type Item = (Vec<f32>, Vec<f32>); // batches of [n, 1] and [n, 1]
//!     fn open(config: &LineConfig) -> Result<Self> {
//!         Ok(Line(config.points))
//!     }
//!     fn len(&self) -> usize {
//!         self.0
//!     }
//!     fn get(&self, index: usize, rng: &mut SampleRng) -> Result<Self::Item> {
//!         let x = index as f32 / self.0 as f32;
//!         Ok((vec![x], vec![3.0 * x + 0.1 * rng.normal() as f32]))
//!     }
//! }
//!
//! #[trainer(by_epoch)]
//! pub struct Regression {
//!     #[model]
//!     net: Linear,
//!     #[optimizer]
//!     opt: Box<dyn Optimizer>,
//!     #[loader(train)]
//!     train: Loader<Line>,
//! }
//!
//! impl Steps for Regression {
//!     type Batch = (Tensor, Tensor);
//!     fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
//!         Ok(x.apply(&self.net.0).mse_loss(y, Reduction::Mean).into())
//!     }
//! }
//!
//! engine::main!(Regression);
//! ```
//! Where to look: programs import [`prelude`]; [`trainer`](macro@trainer), [`passes`](macro@passes),
//! [`hook`](macro@hook), [`phases`](macro@phases), [`component`](macro@component) and the derive
//! [`Batch`](data::Batch) are the macros; hooks and steps access a run through [`run::Context`]; [`phase::Phase`]
//! lists the phases. The repository has a `README.md` as an introduction, a page for each topic in `docs`, and
//! `ARCHITECTURE.md`, which explains how the code is organized.
extern crate self as engine;

pub mod base;
#[cfg(feature = "board")]
pub mod board;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod data;
pub mod dist;
pub mod folder;
pub mod hook;
pub mod hooks;
pub mod loops;
pub mod metric;
pub mod model;
pub mod native;
pub mod nn;
pub mod optim;
pub mod phase;
pub mod random;
pub mod readers;
pub mod record;
pub mod run;
pub mod sinks;
pub mod trainer;
pub mod weights;

pub use base::Saved;
pub use engine_macros::{component, hook, only_ok, pass, passes, phases, register, schedule, trainer};
pub use model::{Model, Net};
/// The bindings of libtorch, in the version that the engine uses.
pub use tch;

/// The items that almost every program needs.
pub mod prelude {
    pub use crate::base::{Clock, Error, ErrorContext, Output, Prediction, Result, StateMap};
    pub use crate::data::{Batch, Collate, Dataset, Loader, Padded, Padding, Samples, Sequence, SharedTensor};
    pub use crate::hook::{Hook, PredictStep, Steps, TestStep, ValStep};
    pub use crate::hooks::{
        ActivationStatistics, Anomaly, DeviceMemory, EarlyStopping, Ema, EmptyCache, Freeze, GradientCheck,
        MeanTeacher, Mfu, ParameterStatistics, Rollback,
    };
    pub use crate::metric::{
        Accuracy, Auroc, AveragePrecision, Better, Bleu, CalibrationError, ConfusionMatrix, Dice, FBeta, Mae, MeanAp,
        MeanIou, MeanLoss, MeanOf, Measure, Metric, MetricName, Mse, Pearson, Perplexity, Precision, R2, Recall, Rmse,
        WordErrorRate,
    };
    pub use crate::model::{Model, Net};
    pub use crate::nn;
    pub use crate::optim::schedule::WindowPosition;
    pub use crate::optim::{Adam, AdamW, Optimizer, Schedules, Sgd};
    pub use crate::random::SampleRng;
    pub use crate::run::{Context, Save, TaskScale};
    pub use engine_macros::{component, hook, only_ok, pass, passes, phases, schedule, trainer};
    // what is written by mistake, and is told
    #[doc(hidden)]
    pub use crate::optim::LoopCalls as _;
    #[doc(hidden)]
    pub use engine_macros::{Component, Config, Hook, Trainer, phase};
    // without `engine::` in front of it
    #[doc(hidden)]
    pub use crate::main;
    pub use tch::{Device, IndexOp, Kind, Reduction, Tensor};
}

/// The documents of the repository: their programs are compiled and, where they can be, run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/phases.md")]
    mod phases {}
    #[doc = include_str!("../../docs/checkpoints.md")]
    mod checkpoints {}
    #[doc = include_str!("../../docs/resume.md")]
    mod resume {}
    #[doc = include_str!("../../docs/sinks.md")]
    mod sinks {}
    #[doc = include_str!("../../docs/hooks.md")]
    mod hooks {}
    #[doc = include_str!("../../docs/faults.md")]
    mod faults {}
    #[doc = include_str!("../../docs/tasks.md")]
    mod tasks {}
    #[doc = include_str!("../../docs/memory.md")]
    mod memory {}
    #[doc = include_str!("../../docs/precision.md")]
    mod precision {}
    #[doc = include_str!("../../docs/passes.md")]
    mod passes {}
    #[doc = include_str!("../../docs/data.md")]
    mod data {}
    #[doc = include_str!("../../docs/distributed.md")]
    mod distributed {}
    #[doc = include_str!("../../docs/weights.md")]
    mod weights {}
    #[doc = include_str!("../../docs/macros.md")]
    mod macros {}
    #[doc = include_str!("../../docs/evaluation.md")]
    mod evaluation {}
    #[doc = include_str!("../../docs/metrics.md")]
    mod metrics {}
    #[doc = include_str!("../../docs/porting.md")]
    mod porting {}
    #[doc = include_str!("../../docs/schedules.md")]
    mod schedules {}
}

/// What expansions of the macros name. Not for use by hand: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::__part as part;
    pub use crate::__phase_outside as phase_outside;
    pub use crate::base::checked::{
        ConfigValue, Fresh, HasDefault, Paths, check_exists, check_range, load_field, read_checked, save_field,
    };
    pub use crate::base::{
        Adjustable, Clock, Output, Prediction, Priority, Result, Saved, State, StateError, StateMap,
    };
    pub use crate::cli::entry::{Checked, NotChecked, is_program, run};
    pub use crate::config::registry::{self, Component, FieldInfo};
    pub use crate::config::{Configured, Generic, Keyed, KeysOf, NoKeys, OtherName, Registered};
    pub use crate::data::{
        Batch, BatchSource, Cursor, EachPart, Loader, SamplerConfig, SharedField, Source, StatedWeight, WholeField,
    };
    pub use crate::hook::{
        AllPassesInOneBlock, AllPhasesInOneBlock, AnyHook, Batches, ConstText, EachState, HasOptimizers, Hook,
        HookConfig, HookField, NoPhases, NoSteps, PassBatch, Phases, PhasesOf, PhasesOwner, PredictStep, SlotInfo,
        Slots, Steps, StepsOf, TestStep, TrainStep, ValStep, build_any, is_one_of, is_stepped, is_well, no_such_pass,
        pass_of,
    };
    pub use crate::hooks::EmptyCache as SomeHook;
    pub use crate::loops::{LoopConfig, Role, StepConfig, TrainerInfo};
    pub use crate::metric::{Metric, MetricComponent, MetricConfig, build_metric};
    pub use crate::model::{AnyModel, Model, ModelConfig, Net, NetPart, build_model};
    pub use crate::optim::schedule::{FactorResult, PositionArgument, Schedule, Window, WindowPosition};
    pub use crate::optim::{OptimError, OptimizerConfig, PassBatches, PassInfo, ScheduleConfig, Schedules};
    pub use crate::phase::{NoPhaseOutside, Phase, PhaseMask, first_text};
    pub use crate::record::{Sink, SinkComponent, SinkConfig, build_sink};
    pub use crate::run::Context;
    pub use crate::trainer::experiment::check::{check_experiment, check_experiments_besides};
    pub use crate::trainer::experiment::of_main::{Ended, named, no_main, not_beside_main};
    pub use crate::trainer::kinds::{
        ConfigKind, HookKind, LoaderKind, MetricKind, ModelKind, OptimizerKind, OwnSetting, SchedulesKind,
    };
    pub use crate::trainer::parts::{Built, Known, Part, PartInfo, PartKind, PartOf, Reached};
    pub use crate::trainer::reach::{BatchesOf, Evaluated, Predicted, call_field, feed, next_batch, slot_of};
    pub use crate::trainer::unknown_keys;
    pub use crate::trainer::{
        Build, Fields, LoaderField, MetricField, OptimizerField, SameBatch, SameBatches, SchedulesField,
    };
    pub use crate::windowed;
    pub use engine_macros::{check_experiments_of, component, experiment_of, refuse};
    pub use {inventory, serde, tch, typetag};
}
