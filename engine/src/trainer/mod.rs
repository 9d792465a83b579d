//! From a trainer's struct and an experiment to a run: what the macros fill, reading, building, running.

mod build;
mod builder;
pub(crate) mod check_experiments;
mod environment;
mod experiment;
mod experiment_builder;
mod fields;
mod misplaced;
mod outline;
pub(crate) mod parts;
mod reader;
mod refused;
mod rules;
mod run;
mod settings;
mod writer;

pub use build::{Build, Fields};
pub use builder::Builder;
pub use experiment::Experiment;
pub use experiment_builder::ExperimentBuilder;
pub use fields::{HookSetting, LoaderField, MetricField, OptimizerField, SchedulesField};
pub use outline::{Outline, Section, docs_of};
pub use reader::Reader;
pub use refused::{Mistake, Refused};
pub use rules::Purpose;
pub(crate) use run::needs_loader;
pub use run::{PlannedHook, Program, Summary, TrainOptions, build, plan_of, run_predict, run_test, run_train, run_val};
pub use settings::{DeviceChoice, HookSettings, Precision, TrainSettings, ValSettings};
pub use writer::Writer;
