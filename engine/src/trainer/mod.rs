//! From a trainer's struct and an experiment to a run: the traits that the macros implement, reading, building,
//! running.

mod build;
mod build_errors;
mod builder;
pub(crate) mod experiment;
mod fields;
pub(crate) mod kinds;
pub(crate) mod parts;
pub(crate) mod reach;
mod run;

pub use crate::hook::HookSetting;
pub use crate::hooks::HookSettings;
pub use build::{Build, EngineHooksOf, Fields};
pub use build_errors::{BuildErrors, Mistake};
pub use builder::Builder;
pub use experiment::of_main::Ended;
pub use experiment::{
    BackendSettings, DeviceChoice, Experiment, ExperimentBuilder, ModelWeights, Purpose, Reader, Resume, RunName,
    Schema, Section, TrainSettings, ValSettings, Writer, docs_of,
};
pub use fields::{LoaderField, MetricField, OptimizerField, SameBatch, SameBatches, SchedulesField};
pub use run::{
    BatchProbe, LrCurve, LrEnd, LrPoint, LrSearch, Offline, PlannedCheckpoints, PlannedGroup, PlannedHook,
    PlannedLoader, PlannedMemory, PlannedPass, Predictor, Program, ProgramPlan, RanksPlan, ScheduledGroup,
    ScheduledSetting, Summary, TrainOptions, build, plan_of, plan_of_ranks, run_batch_probe, run_costs, run_lr_find,
    run_offline, run_predict, run_replay, run_script, run_test, run_train, run_val, scheduled,
};
pub(crate) use run::{needs_loader, planned_iters};
