//! Runs experiments: `train` in the run's folder, `val`, `test` and `predict` with the weights of a checkpoint, and
//! `plan` without running anything.

mod backend;
mod bare;
mod batch_probe;
mod check_schedules;
mod costs;
mod determinism;
mod environment;
mod evaluate;
mod lr_curve;
mod lr_find;
#[cfg(feature = "s3")]
mod mirror;
mod offline;
mod plan;
mod plan_file;
mod plan_ranks;
mod predictor;
mod program;
mod ranks;
mod recording;
mod replay;
mod scheduled;
mod scheduled_values;
mod script;
mod start;
mod train;
mod weights;

pub use batch_probe::{BatchProbe, run_batch_probe};
pub use costs::run_costs;
pub(crate) use evaluate::needs_loader;
pub use evaluate::{run_predict, run_test, run_val};
pub(crate) use lr_curve::LEAST_UPDATES;
pub use lr_curve::{LrCurve, LrEnd, LrPoint};
pub(crate) use lr_find::HIGHEST_RATE;
pub use lr_find::{LrSearch, run_lr_find};
pub use offline::{Offline, run_offline};
pub use plan::{PlannedGroup, PlannedHook, PlannedPass, ProgramPlan, plan_of};
pub use plan_ranks::{PlannedCheckpoints, PlannedLoader, PlannedMemory, RanksPlan, plan_of_ranks};
pub use predictor::Predictor;
pub use program::{Program, build};
pub use replay::run_replay;
pub(crate) use scheduled::planned_iters;
pub use scheduled::{ScheduledGroup, ScheduledSetting, scheduled};
pub use script::run_script;
pub use train::{TrainOptions, run_train};

use crate::loops::{End, Report, is_short};
use crate::run::Signal;
use crate::trainer::Build;
use std::path::PathBuf;

/// How a command ended, and its metrics.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Why it ended.
    pub end: End,
    /// Whether the command had begun: a signal may end it before it has written anything.
    pub began: bool,
    /// The latest metrics under their monitored names.
    pub metrics: Report,
    /// Finished epochs.
    pub epoch: u64,
    /// Finished updates.
    pub iter: u64,
    /// The folder of the run, of a training.
    pub folder: Option<PathBuf>,
    /// The number of this process among those that have worked together; 0 of one alone.
    pub rank: usize,
}

impl Summary {
    /// Of a command that a signal has ended before it began.
    fn of_signal(signal: Signal, rank: usize) -> Self {
        let end = End::Signal(signal);
        Summary { end, began: false, metrics: Report::new(), epoch: 0, iter: 0, folder: None, rank }
    }

    fn of<T: Build>(program: &Program<T>, end: End) -> Self {
        let latest = program.run.seen.results.latest.iter();
        let metrics = latest
            .filter(|(name, _)| !is_short(&program.loaders, name))
            .map(|(name, value)| (name.clone(), *value))
            .collect();
        let clocks = program.run.clocks();
        Summary {
            end,
            began: true,
            metrics,
            epoch: clocks.epoch().get(),
            iter: clocks.iter().get(),
            folder: program.run.storage.folder.as_ref().map(|folder| folder.path().to_owned()),
            rank: program.run.process.rank(),
        }
    }
}
