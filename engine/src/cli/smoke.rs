//! `train --smoke`: everything for a moment, so that what would fail after an hour fails now.
//!
//! Two updates, a checkpoint, a resume and two more updates, with a validation after each of them; then the commands `val`,
//! `test` and `predict` on the checkpoint, as far as the trainer and the experiment have loaders for them. Each evaluation
//! takes two batches of each loader. All of it happens in a temporary folder that is removed at the end; the experiment's own
//! run, its sinks and its mirror are not touched.

use crate::base::{Clock, Error, Result};
use crate::cli::args::Style;
use crate::cli::experiment_args::ExperimentArgs;
use crate::cli::failure::Failure;
use crate::cli::loaded::Loaded;
use crate::cli::predictions::Predictions;
use crate::cli::scratch::Scratch;
use crate::cli::{checkpoint, out, ranks, weights};
use crate::config::{Given, print_line, to_node};
use crate::folder::{Mode, PREDICTIONS};
use crate::loops::{End, Role};
use crate::readers::{Locks, RunReader};
use crate::trainer::{Build, Purpose, Summary, TrainOptions, run_predict, run_test, run_train, run_val};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Updates of each of the two trainings.
const UPDATES: u64 = 2;
/// Batches of each loader in an evaluation.
const BATCHES: u64 = 2;
/// The name of the run.
const NAME: &str = "smoke";

/// Tries an experiment. The exit code is that of the first command that fails or is stopped by a signal.
pub(super) fn run<T: Build>(args: &ExperimentArgs, files: &[String], style: &Style) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let scratch = Scratch::make()?;
    let read_with = |more: Vec<Given>| -> Result<Loaded<T>, Failure> {
        let mut given = weights::given(files, T::MODELS)?;
        given.extend(ranks::given(Some(1)));
        given.extend(overrides(scratch.path())?);
        given.extend(more);
        let mut loaded = Loaded::<T>::read_with(args, given, Purpose::Run)?;
        loaded.experiment.evaluate_at_most = Some(BATCHES);
        Ok(loaded)
    };
    // without a val loader the section `val` can't be there
    let validates = has_loader(&read_with(Vec::new())?, Role::Val)?;
    let read = || read_with(if validates { validations()? } else { Vec::new() });
    for (what, mode, updates) in
        [("training", Mode::New, UPDATES), ("resuming from its checkpoint", Mode::Resume, 2 * UPDATES)]
    {
        say(what)?;
        let mut loaded = read()?;
        loaded.experiment.stop_after = Some(updates);
        let options = TrainOptions { console: style.console(), ..TrainOptions::from(mode) };
        let summary = loaded.used_by(|experiment| run_train(experiment, options))?;
        if let Some(code) = interrupted(&summary) {
            return Ok(code);
        }
    }
    let folder = scratch.path().join(NAME);
    let mut done = vec!["a training", "a checkpoint", "a resume"];
    for role in [Role::Val, Role::Test, Role::Predict] {
        let loaded = read()?;
        if !has_loader::<T>(&loaded, role)? {
            continue;
        }
        say(role.name())?;
        let newest = checkpoint::resolve(folder.clone(), &folder)?;
        let console = style.console();
        let summary = loaded.used_by(|experiment| match role {
            Role::Val => run_val(experiment, &newest, console),
            Role::Test => run_test(experiment, &newest, console),
            _ => {
                let mut file = Predictions::create(&folder.join(PREDICTIONS), &[])?;
                let summary = run_predict(experiment, &newest, console, &mut |prediction| file.write(&prediction))?;
                file.finish()?;
                Ok(summary)
            }
        })?;
        if let Some(code) = interrupted(&summary) {
            return Ok(code);
        }
        done.push(role.name());
    }
    check_losses(&folder)?;
    out::line(format_args!("smoke: {} work, in {:.1} s", done.join(", "), begun.elapsed().as_secs_f64()))?;
    Ok(ExitCode::SUCCESS)
}

fn say(what: &str) -> Result<()> {
    out::line(format_args!("smoke: {what}"))
}

/// Whether the trainer has loaders for this, and the experiment has not left them out.
fn has_loader<T: Build>(loaded: &Loaded<T>, role: Role) -> Result<bool> {
    let root = loaded.experiment.to_node()?;
    let loaders = root.fields().iter().find(|field| field.key == "loaders");
    let is_there = |name: &&str| {
        let fields = loaders.map(|loaders| loaders.value.fields()).unwrap_or_default();
        fields.iter().any(|field| field.key == **name && field.value.name() != Some("None"))
    };
    Ok(T::loaders(role).iter().any(is_there))
}

/// The exit code of a command that a signal has ended.
fn interrupted(summary: &Summary) -> Option<ExitCode> {
    match &summary.end {
        End::Signal(signal) => {
            out::error_line(format_args!("smoke: stopped by {signal}"));
            Some(ExitCode::from(signal.exit_code()))
        }
        End::Finished | End::Stopped(_) => None,
    }
}

/// An error when a loss of a row is not finite: what has begun so, trains nothing.
fn check_losses(folder: &Path) -> Result<()> {
    let mut run = RunReader::new(folder);
    run.read_all(&Locks::read());
    let is_loss = |key: &String| key.rsplit('/').next() == Some("loss");
    let wrong = run.rows().keys().filter(is_loss).find_map(|key| {
        let (group, series) = run.rows().find(&key)?;
        let place = series.values().iter().position(|loss| !loss.is_finite())?;
        Some((series.iter_of(group, place)?, key))
    });
    match wrong {
        Some((iter, key)) => Err(Error::msg(format!(
            "`{key}` is not finite after update {iter}; look at the learning rate, the data, and how the loss is computed"
        ))),
        None => Ok(()),
    }
}

/// What stands over the experiment.
fn overrides(scratch: &Path) -> Result<Vec<Given>> {
    let text =
        scratch.to_str().ok_or_else(|| Error::msg("the folder for temporary files has a name that is not UTF-8"))?;
    Ok(vec![
        over("work_dir", text)?,
        over("name", NAME)?,
        // a sink may write elsewhere, and a mirror does
        over("sinks", Vec::<u8>::new())?,
        over("checkpoints.mirror", None::<String>)?,
        over("hooks.logger.interval", 1)?,
    ])
}

/// The same, where there is a loader to validate with: a validation after each update.
fn validations() -> Result<Vec<Given>> {
    Ok(vec![
        over("val.interval", 1)?,
        over("val.begin", 0)?,
        over("val.by", Clock::Iter)?,
        over("val.dynamic_intervals", Vec::<u8>::new())?,
    ])
}

fn over(path: &str, value: impl Serialize) -> Result<Given> {
    let value = to_node(&value).map_err(Error::new)?;
    Ok(Given { option: "--smoke", text: format!("{path}={}", print_line(&value)), path: path.to_owned(), value })
}
