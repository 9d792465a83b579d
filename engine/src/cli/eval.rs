//! `eval`: metrics over predictions that were written before.

use crate::cli::experiment_args::ExperimentArgs;
use crate::cli::failure::Failure;
use crate::cli::loaded::Loaded;
use crate::cli::out;
use crate::cli::predictions;
use crate::trainer::{Build, Purpose, run_offline};
use std::path::Path;

/// Prints the values, and tells which metrics are left out.
pub(super) fn run<T: Build>(experiment: &ExperimentArgs, path: &Path) -> Result<(), Failure> {
    let loaded = Loaded::<T>::read(experiment, Purpose::Run)?;
    let outputs = predictions::outputs(path)?;
    let offline = loaded.used_by(|experiment| run_offline(experiment, outputs))?;
    for (name, why) in &offline.left_out {
        out::error_line(format_args!("warning: `{name}` is left out: {why}"));
    }
    for (name, value) in &offline.values {
        out::line(format_args!("{name} = {value:.4}"))?;
    }
    Ok(())
}
