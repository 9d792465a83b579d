//! `replay`: what the update of a dump computes.

use crate::base::{Error, ErrorContext as _, Result};
use crate::cli::args::ReplayArgs;
use crate::cli::experiment_args::ExperimentArgs;
use crate::cli::failure::Failure;
use crate::cli::loaded::Loaded;
use crate::cli::out;
use crate::folder::EXPERIMENT;
use crate::loops::Replayed;
use crate::native::{self, FirstNotFinite};
use crate::trainer::{Build, Purpose, run_replay};
use std::path::{Path, PathBuf};

/// So many gradients are printed, unless all are asked for.
const SHOWN: usize = 20;

/// Runs the update of a dump again and prints what it has computed.
pub(super) fn run<T: Build>(args: ReplayArgs, verbose: bool) -> Result<(), Failure> {
    let ReplayArgs { dump, experiment, set, device } = args;
    if let Err(error) = dump.metadata() {
        let text =
            format!("the dump `{}` can't be read: {error}; name a folder below `dumps` of a run", dump.display());
        return Err(Failure::Usage(text));
    }
    let experiment = experiment.map_or_else(|| run_of(&dump), Ok)?;
    let args =
        ExperimentArgs { experiments: vec![experiment], with: Vec::new(), set, name: None, work_dir: None, device };
    native::load_accelerator().map_err(Error::from)?;
    let loaded = Loaded::<T>::read(&args, Purpose::Run)?;
    let replayed = loaded.used_by(|experiment| run_replay(experiment, &dump))?;
    print(&replayed, verbose)?;
    Ok(())
}

/// The folder of the run that has written a dump: it is in `dumps` there.
fn run_of(dump: &Path) -> Result<PathBuf, Failure> {
    let path = dump.canonicalize().with_context(|| format!("`{}` can't be read", dump.display()))?;
    let run = path.parent().and_then(Path::parent).filter(|run| run.join(EXPERIMENT).is_file());
    run.map(Path::to_owned).ok_or_else(|| {
        let what = "is not in the folder of its run, so its experiment is not known; name it with `--experiment`";
        Failure::Usage(format!("`{}` {what}", dump.display()))
    })
}

fn print(replayed: &Replayed, verbose: bool) -> Result<()> {
    let Replayed { iter, pass, reason, .. } = replayed;
    out::line(format_args!("iter {iter}, pass `{pass}`: {reason}", iter = iter.get()))?;
    replayed.told.iter().try_for_each(|text| out::line(format_args!("note: {text}")))?;
    for (index, values) in replayed.values.iter().enumerate() {
        let values: Vec<String> = values.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
        out::line(format_args!("step {}: {}", index + 1, values.join(", ")))?;
    }
    match replayed.not_finite_before.as_slice() {
        [] => {}
        names => out::line(format_args!("not finite before the step: {}", names.join(", ")))?,
    }
    told_of("forward", &replayed.forward)?;
    match replayed.forward == replayed.all {
        true if replayed.all == FirstNotFinite::default() => out::line("every operator gave finite numbers")?,
        true => {}
        false => told_of("backward", &replayed.all)?,
    }
    if let Some(error) = &replayed.failed {
        out::line(format_args!("it fails: {error}"))?;
    }
    if let Some(norm) = replayed.grad_norm {
        out::line(format_args!("grad_norm = {norm:?}"))?;
    }
    print_gradients(&replayed.gradients, verbose)
}

/// The first operators of a part of the step whose results were not finite.
fn told_of(part: &str, found: &FirstNotFinite) -> Result<()> {
    for (what, place) in [("infinity", &found.infinite), ("NaN", &found.nan)] {
        if let Some(place) = place {
            out::line(format_args!("{part}: the first {what} comes from {place}"))?;
        }
    }
    Ok(())
}

/// Those that are not finite first, then the largest.
fn print_gradients(gradients: &[(String, Option<f64>)], verbose: bool) -> Result<()> {
    let mut sorted: Vec<&(String, Option<f64>)> = gradients.iter().collect();
    let size = |norm: Option<f64>| norm.map_or(-1.0, |norm| if norm.is_finite() { norm } else { f64::INFINITY });
    sorted.sort_by(|a, b| size(b.1).total_cmp(&size(a.1)));
    let shown = if verbose { sorted.len() } else { SHOWN };
    let width = sorted.iter().take(shown).map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, norm) in sorted.iter().take(shown) {
        match norm {
            Some(norm) => out::line(format_args!("  {name:<width$}  {norm:?}"))?,
            None => out::line(format_args!("  {name:<width$}  no gradient"))?,
        }
    }
    match sorted.len().saturating_sub(shown) {
        0 => Ok(()),
        more => out::line(format_args!("  and {more} more: `--verbose` prints all")),
    }
}
