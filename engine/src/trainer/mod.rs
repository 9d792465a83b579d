//! From a trainer's struct and an experiment to a run: what the macros fill, reading, building, running.

mod build;
mod builder;
pub(crate) mod experiment;
mod fields;
pub(crate) mod parts;
mod refused;
mod run;

pub use build::{Build, Fields};
pub use builder::Builder;
pub use experiment::{
    DeviceChoice, Experiment, ExperimentBuilder, HookSettings, Outline, Precision, Purpose, Reader, Section,
    TrainSettings, ValSettings, Writer, docs_of,
};
pub use fields::{HookSetting, LoaderField, MetricField, OptimizerField, SchedulesField};
pub use refused::{Mistake, Refused};
pub(crate) use run::needs_loader;
pub use run::{PlannedHook, Program, Summary, TrainOptions, build, plan_of, run_predict, run_test, run_train, run_val};
