//! `export` of a program: what `predict` computes, as TorchScript.

use crate::base::{Error, Result};
use crate::dist::Process;
use crate::loops::{Role, Traced};
use crate::run::Command;
use crate::trainer::run::needs_loader;
use crate::trainer::run::program::{build_on, prepare};
use crate::trainer::{Build, Experiment};
use std::path::Path;

/// Records what `predict_step` computes with the weights of a checkpoint that evaluations use: the tensor `output` of its
/// prediction, or its only one.
///
/// # Errors
/// When the checkpoint doesn't fit, something fails while building, or the step can't be recorded.
pub fn run_script<T: Build>(experiment: Experiment<T>, checkpoint: &Path, output: Option<&str>) -> Result<Traced> {
    needs_loader::<T>(Role::Predict).map_err(Error::msg)?;
    let device = prepare(&experiment, &Process::Alone)?;
    let mut program = build_on(device, experiment, &[Role::Predict])?;
    program.run.current.command = Command::Predict;
    program.take_for_evaluation(checkpoint)?;
    let mut traced = None;
    program.run(|program| {
        traced = Some(program.trace_predict(output)?);
        Ok(())
    })?;
    traced.ok_or_else(|| Error::msg("stopped by a signal before anything was recorded"))
}
