//! `val`, `test` and `predict`: a pass over a loader with the weights of a checkpoint.

use crate::base::{Error, Prediction, Result};
use crate::dist::Process;
use crate::folder::FinishedRun;
use crate::loops::Role;
use crate::phase::at;
use crate::record::RowPhase;
use crate::run::{Command, Signals};
use crate::sinks::ConsoleOptions;
use crate::trainer::run::program::{build_on, prepare};
use crate::trainer::run::ranks;
use crate::trainer::run::recording::Recording;
use crate::trainer::run::train::note_the_end;
use crate::trainer::run::{Program, Summary, environment};
use crate::trainer::{Build, BuildErrors, Experiment};
use std::path::Path;

/// Validates the weights of a checkpoint.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_val<T: Build>(
    experiment: Experiment<T>,
    checkpoint: &Path,
    console: impl Into<ConsoleOptions>,
) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Val, console.into(), |program| program.val().map(|_| ()))
}

/// Tests the weights of a checkpoint.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_test<T: Build>(
    experiment: Experiment<T>,
    checkpoint: &Path,
    console: impl Into<ConsoleOptions>,
) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Test, console.into(), |program| program.test().map(|_| ()))
}

/// Predicts with the weights of a checkpoint; each prediction goes to `write` as it comes, in the order of the samples. Of
/// several ranks only rank 0 writes, the predictions of all.
///
/// # Errors
/// When the checkpoint doesn't fit, or something fails while building or running.
pub fn run_predict<T: Build>(
    experiment: Experiment<T>,
    checkpoint: &Path,
    console: impl Into<ConsoleOptions>,
    write: &mut dyn FnMut(Prediction) -> Result<()>,
) -> Result<Summary> {
    evaluate(experiment, checkpoint, Role::Predict, console.into(), |program| program.predict(write))
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
    console: ConsoleOptions,
    body: impl FnOnce(&mut Program<T>) -> Result<()>,
) -> Result<Summary> {
    needs_loader::<T>(role).map_err(Error::msg)?;
    // before the ranks meet: from then on a signal to one of them ends all in good order
    let signals = Signals::listen()?;
    let process = match ranks::join_for(role, &experiment, checkpoint, &signals) {
        Ok(process) => process,
        Err(error) => return ranks::interrupted(error, &signals),
    };
    let summary = evaluate_as(process.clone(), signals, experiment, checkpoint, role, console, body);
    ranks::leave(&process, summary.as_ref().err());
    summary
}

/// [`evaluate`], alone or as one of several processes. Rank 0 shows and records the results.
fn evaluate_as<T: Build>(
    process: Process,
    signals: Signals,
    mut experiment: Experiment<T>,
    checkpoint: &Path,
    role: Role,
    console: ConsoleOptions,
    body: impl FnOnce(&mut Program<T>) -> Result<()>,
) -> Result<Summary> {
    let device = prepare(&experiment, &process)?;
    let (command, phase) = match role {
        Role::Train => (Command::Train, None),
        Role::Val => (Command::Val, Some(RowPhase::Val)),
        Role::Test => (Command::Test, Some(RowPhase::Test)),
        Role::Predict => (Command::Predict, None),
    };
    // a bare file of weights tells no iter to record results under
    let run = phase.filter(|_| checkpoint.is_dir()).and_then(|_| FinishedRun::of_checkpoint(checkpoint));
    let folder =
        run.as_ref().map_or_else(|| experiment.name.folder_in(&experiment.work_dir), |run| run.path().to_owned());
    let facts = environment::report(&experiment, device, &folder, &process);
    let recording = Recording::of(&mut experiment, facts)?;
    let mut program = build_on(device, experiment, &[role])?;
    program.run.process = process.clone();
    if !program.loaders.has(role) {
        let (role, fields) = (role.name(), T::loaders(role).join("`, `loaders."));
        return Err(BuildErrors::at(
            "loaders",
            format!("this experiment has no `loaders.{fields}`, so there is nothing to {role}"),
        ));
    }
    program.run.current.command = command;
    // a checkpoint that does not fit is refused before the files of its run are opened
    let told = program.take_for_evaluation(checkpoint)?;
    let measured = program.measured();
    let sinks = &mut program.run.seen.sinks;
    match (phase, &run) {
        (_, Some(run)) if !process.is_main() => recording.log_alone(&run.log_of(process.rank()), sinks)?,
        _ if !process.is_main() => {}
        (Some(phase), Some(run)) => recording.add_to(run, phase, measured, console, sinks)?,
        _ => recording.show(console, sinks)?,
    }
    program.run.signals = signals;
    program.run.signals.lead_to_end();
    let end = program.run(|program| {
        program.share_weights()?;
        told.iter().try_for_each(|text| program.run.say(text))?;
        program.phase::<at::AfterLoadCheckpoint>()?;
        let (clocks, shown) = (program.run.clocks(), checkpoint.display());
        let text = match checkpoint.is_file() {
            true => format!("the weights in {shown}"),
            false => format!("the checkpoint {shown}, of {}, {}", clocks.epoch(), clocks.iter()),
        };
        program.run.say(&text)?;
        body(program)
    });
    if let Some(run) = &run {
        note_the_end(&run.log_of(process.rank()), &end);
    }
    Ok(Summary::of(&program, end?))
}
