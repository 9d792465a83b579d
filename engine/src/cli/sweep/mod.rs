//! `sweep`: many trials of one experiment with different settings.
//!
//! `written` and `over` read a sweep file, `file` puts it over its base and checks every value, `files` keeps what the sweep is
//! made of, `begun` goes on with one. `propose`, `space` and `tpe` pick the values of each trial, `halving` says which trials go on, `journal`
//! holds what has begun and ended, `run` starts the processes, `table` prints the results. A trial is an ordinary run, `NAME/0007`
//! below the `work_dir` of the base. The sweep only reads what a trial has left, and never writes into its folder.

mod begun;
mod file;
mod files;
mod halving;
mod held;
mod journal;
mod options;
mod over;
mod propose;
mod result;
mod run;
mod space;
mod table;
mod tpe;
mod written;

use crate::base::{ErrorContext as _, Result};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::program::program;
use crate::trainer::Build;
use begun::Begun;
use file::Sweep;
use files::Files;
use journal::{End, Journal, name_of};
pub(super) use options::SweepArgs;
use run::Runner;
use std::path::Path;
use std::process::ExitCode;
use written::{By, Written};

pub(super) fn run<T: Build>(args: &SweepArgs) -> Result<ExitCode, Failure> {
    if let Some(begun) = Begun::find::<T>(&args.sweep)? {
        return go_on::<T>(begun, args);
    }
    let sweep = Sweep::new::<T>(Written::read(&args.sweep, None)?, &args.sweep, None)?;
    sweep.check::<T>()?;
    let folder = sweep.work_dir.join(&sweep.name);
    if args.table {
        return Err(Failure::Usage(format!("there is no sweep in `{}`", folder.display())));
    }
    if args.resume {
        let text = format!("there is no sweep in `{}` to go on with; leave `--resume` out", folder.display());
        return Err(Failure::Usage(text));
    }
    if args.array {
        allow_array(&sweep)?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}` can't be made", folder.display()))?;
    Files::new(&args.sweep, sweep.texts())?.write(&folder)?;
    let journal = Journal::open(&folder)?;
    work::<T>(&sweep, &folder, journal, args)
}

/// The commands for a sweep that has begun.
fn go_on<T: Build>(mut begun: Begun, args: &SweepArgs) -> Result<ExitCode, Failure> {
    if args.table {
        return table(&begun.sweep::<T>()?, begun.folder());
    }
    // the commands of a sweep can be printed again
    if !args.resume && !args.array {
        let text = format!(
            "`{}` holds a sweep already: `--resume` goes on with it, `--table` prints its results, another `name` begins a new one",
            begun.folder().display()
        );
        return Err(Failure::Usage(text));
    }
    let journal = Journal::open(begun.folder())?;
    let sweep = begun.changed_sweep::<T>(journal.trials.len())?;
    if args.array {
        allow_array(&sweep)?;
    }
    work::<T>(&sweep, begun.folder(), journal, args)
}

/// Runs the trials, or writes them.
fn work<T: Build>(sweep: &Sweep, folder: &Path, journal: Journal, args: &SweepArgs) -> Result<ExitCode, Failure> {
    let mut runner = Runner::new(sweep, folder.to_owned(), journal)?;
    if args.array {
        for file in runner.write_all::<T>()? {
            out::line(format_args!("{} train {} --resume=auto", program(), quoted(&file)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.retry_failed {
        runner.retry_failed()?;
    }
    let stopped = runner.run::<T>()?;
    let trials = &runner.journal.trials;
    if let Some(signal) = stopped {
        out::error_line(format_args!("stopped by {signal}; go on with `--resume`"));
        return Ok(ExitCode::from(signal.exit_code()));
    }
    out::text(table::all(sweep, trials))?;
    // a trial that fails is a result of the search too: some settings can't be trained
    Ok(match table::best(sweep, trials) {
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

fn allow_array(sweep: &Sweep) -> Result<(), Failure> {
    let text = if matches!(sweep.by, By::Tpe { .. }) {
        "`--array` can't be used with `Tpe`, whose trials depend on the results of earlier ones; use `Random` or `Grid`"
    } else if sweep.halve.is_some() {
        "`--array` can't be used with `halve`, by which the results of others decide how long a trial is trained"
    } else {
        return Ok(());
    };
    Err(Failure::Usage(text.to_owned()))
}

/// The results so far; of trials that are still at work, or were run by others, what their rows say.
fn table(sweep: &Sweep, folder: &Path) -> Result<ExitCode, Failure> {
    let mut trials = journal::read(folder)?;
    // of trials that are trained in parts, what they had at their last rung
    let whole = sweep.halve.is_none();
    for (number, trial) in trials.iter_mut().enumerate().filter(|(_, trial)| whole && trial.is_at_work()) {
        let value = result::best_of(&folder.join(name_of(number)), &sweep.watch, sweep.better)?;
        trial.end = value.map(End::Value);
    }
    out::text(table::all(sweep, &trials))?;
    Ok(ExitCode::SUCCESS)
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c));
    if plain { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
