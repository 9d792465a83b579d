//! `sweep`: many trials of one experiment with different settings.
//!
//! `file` reads and checks what is to be tried, `space` and `tpe` pick the values of each trial, `halving` says which trials go
//! on, `journal` holds what has begun and ended, `run` starts the processes, `table` prints the results. A trial is an ordinary run, `NAME/0007` below
//! the `work_dir` of the base. The sweep only reads what a trial has left, and never writes into its folder.

mod file;
mod halving;
mod journal;
mod options;
mod result;
mod run;
mod space;
mod table;
mod tpe;

use crate::base::{ErrorContext as _, Result};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::program::program;
use crate::folder::write_atomic;
use crate::trainer::Build;
use file::{By, Sweep};
use journal::{End, JOURNAL, Journal, name_of};
pub(super) use options::SweepArgs;
use run::Runner;
use std::path::Path;
use std::process::ExitCode;

/// The sweep as it was begun, in its folder.
const COPY: &str = "sweep.ron";

pub(super) fn run<T: Build>(args: &SweepArgs) -> Result<ExitCode, Failure> {
    let sweep = Sweep::read::<T>(&args.sweep)?;
    let folder = sweep.work_dir.join(&sweep.name);
    let begun = folder.join(JOURNAL).is_file();
    if args.table {
        return table(&sweep, &folder, begun);
    }
    if args.array && matches!(sweep.by, By::Tpe { .. }) {
        let text = "`--array` can't be used with `Tpe`, whose trials depend on the results of earlier ones; use `Random` or `Grid`";
        return Err(Failure::Usage(text.to_owned()));
    }
    if args.array && sweep.halve.is_some() {
        let text =
            "`--array` can't be used with `halve`, by which the results of others decide how long a trial is trained";
        return Err(Failure::Usage(text.to_owned()));
    }
    match (begun, args.resume) {
        // the commands of a sweep can be printed again
        (true, false) if !args.array => {
            let text = format!(
                "`{}` holds a sweep already: `--resume` goes on with it, `--table` prints its results, another `name` begins a new one",
                folder.display()
            );
            return Err(Failure::Usage(text));
        }
        (false, true) => {
            let text = format!("there is no sweep in `{}` to go on with; leave `--resume` out", folder.display());
            return Err(Failure::Usage(text));
        }
        _ => {}
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}` can't be made", folder.display()))?;
    let text = std::fs::read(&args.sweep).with_context(|| format!("`{}` can't be read", args.sweep.display()))?;
    let copy = folder.join(COPY);
    if begun && std::fs::read(&copy).ok().is_some_and(|before| before != text) {
        let text = format!(
            "`{}` has changed since the sweep began: `{}` is what it was; restore it, or give the new one another `name`",
            args.sweep.display(),
            copy.display()
        );
        return Err(Failure::Usage(text));
    }
    write_atomic(&copy, &text).map_err(crate::base::Error::new)?;
    let journal = Journal::open(&folder)?;
    let mut runner = Runner::new(&sweep, folder, journal)?;
    if args.array {
        for file in runner.write_all::<T>()? {
            out::line(format_args!("{} train {} --resume=auto", program(), quoted(&file)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let stopped = runner.run::<T>()?;
    let trials = &runner.journal.trials;
    if let Some(signal) = stopped {
        out::error_line(format_args!("stopped by {signal}; go on with `--resume`"));
        return Ok(ExitCode::from(signal.exit_code()));
    }
    out::text(table::all(&sweep, trials))?;
    Ok(match table::best(&sweep, trials) {
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// The results so far; of trials that are still at work, or were run by others, what their rows say.
fn table(sweep: &Sweep, folder: &Path, begun: bool) -> Result<ExitCode, Failure> {
    if !begun {
        return Err(Failure::Usage(format!("there is no sweep in `{}`", folder.display())));
    }
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
