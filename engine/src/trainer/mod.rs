//! From a trainer's struct and an experiment to a run: what the macros fill, reading, building, running.

mod build;
mod builder;
mod experiment;
mod fields;
pub(crate) mod parts;
mod reader;
mod rules;
mod run;
mod settings;
mod writer;

pub use build::{Build, Fields};
pub use builder::Builder;
pub use experiment::{Experiment, Overrides};
pub use fields::{HookSetting, LoaderField, MetricField, OptimizerField, SchedulesField};
pub use reader::Reader;
pub use rules::Purpose;
pub use run::{PlannedHook, Program, Refused, Summary, build, plan_of, run_predict, run_test, run_train, run_val};
pub use settings::{DeviceChoice, HookSettings, Precision, TrainSettings, ValSettings};
pub use writer::Writer;
