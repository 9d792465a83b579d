//! `summary`: what a step costs.

use crate::base::Result;
use crate::dist::Process;
use crate::loops::{Costs, Role};
use crate::optim::Precision;
use crate::trainer::run::program::{build_on, prepare};
use crate::trainer::run::ranks;
use crate::trainer::{Build, Experiment};

/// What an update of each pass costs, on the first batch of the training: operations by module, and memory. It is computed
/// in `F32`, whatever the experiment says; no hook is called, and no file is written.
///
/// # Errors
/// When something fails while building, and the first error of a step or a loader.
pub fn run_costs<T: Build>(mut experiment: Experiment<T>) -> Result<Costs> {
    ranks::is_alone("summary")?;
    // in lower precision operators multiply with copies of the weights, and it is not known whose
    experiment.train.precision = Precision::F32;
    let device = prepare(&experiment, &Process::Alone)?;
    let mut program = build_on(device, experiment, &[Role::Train])?;
    program.deal_loaders()?;
    program.costs()
}
