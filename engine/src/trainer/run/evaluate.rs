//! `val`, `test` and `predict`: a pass over a loader with the weights of a checkpoint.

use crate::base::{Error, Prediction, Result};
use crate::loops::Role;
use crate::record::{Console, Verbosity};
use crate::run::Command;
use crate::trainer::run::{Program, Summary, build};
use crate::trainer::{Build, Experiment};
use std::path::Path;

/// Validates the weights of a checkpoint.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_val<T: Build>(experiment: Experiment<T>, checkpoint: &Path, verbosity: Verbosity) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Val, verbosity, |program| program.val().map(|_| ()))
}

/// Tests the weights of a checkpoint.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_test<T: Build>(experiment: Experiment<T>, checkpoint: &Path, verbosity: Verbosity) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Test, verbosity, |program| program.test().map(|_| ()))
}

/// Predicts with the weights of a checkpoint; each prediction goes to `write` as it comes.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_predict<T: Build>(
    experiment: Experiment<T>,
    checkpoint: &Path,
    verbosity: Verbosity,
    write: &mut dyn FnMut(Prediction) -> Result<()>,
) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Predict, verbosity, |program| program.predict(write))
}

/// Whether a trainer has data for an evaluation; a text when it has not.
pub(crate) fn needs_loader<T: Build>(role: Role) -> Result<(), String> {
    match T::loaders(role).is_empty() {
        false => Ok(()),
        true => Err(format!("`{0}` has no `#[loader({1})]`, so there is nothing to {1}", T::NAME, role.name())),
    }
}

fn evaluate<T: Build>(
    experiment: Experiment<T>,
    checkpoint: &Path,
    role: Role,
    verbosity: Verbosity,
    body: impl FnOnce(&mut Program<T>) -> Result<()>,
) -> Result<Summary> {
    needs_loader::<T>(role).map_err(Error::msg)?;
    let mut program = build(experiment, &[role])?;
    program.run.current.command = match role {
        Role::Train => Command::Train,
        Role::Val => Command::Val,
        Role::Test => Command::Test,
        Role::Predict => Command::Predict,
    };
    program.run.seen.sinks.push(Console::new(verbosity));
    program.listen_to_signals()?;
    let end = program.run(|program| {
        program.load_for_evaluation(checkpoint)?;
        let (clocks, shown) = (program.run.clocks(), checkpoint.display());
        let text = match checkpoint.is_file() {
            true => format!("the weights in {shown}, without averages and whatever else a checkpoint holds"),
            false => format!("the checkpoint {shown}, of {}, {}", clocks.epoch(), clocks.iter()),
        };
        program.run.say(&text)?;
        body(program)
    })?;
    Ok(Summary::of(&program, end))
}
