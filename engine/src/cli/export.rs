//! `export`: the weights of a checkpoint, or what `predict` computes with them, for others.

use crate::base::Error;
use crate::cli::args::{ExportArgs, WeightKind};
use crate::cli::checkpoints::text::counted;
use crate::cli::experiment_args::ExperimentArgs;
use crate::cli::failure::Failure;
use crate::cli::loaded::Loaded;
use crate::cli::{checkpoint, out, target};
use crate::folder::{CHECKPOINTS, FinishedRun};
use crate::trainer::{Build, DeviceChoice, Purpose, run_script};
use crate::weights::{Export, ExportKind, WeightsError, export, write_script};
use std::path::{Path, PathBuf};

/// Writes the file, and a card beside one of weights.
pub(super) fn run<T: Build>(args: ExportArgs) -> Result<(), Failure> {
    let path = place(&args.checkpoint)?;
    target::check(&args.to, &[])?;
    if args.to.extension().is_some_and(|extension| extension == "pt") {
        return script::<T>(&args, &path);
    }
    if !args.set.is_empty() || args.output.is_some() {
        let text = "`--set` and `--output` are for a TorchScript program, `--to net.pt`: weights need no experiment";
        return Err(Failure::Usage(text.to_owned()));
    }
    let kind = args.kind.map(|kind| match kind {
        WeightKind::F32 => ExportKind::F32,
        WeightKind::F16 => ExportKind::F16,
        WeightKind::Bf16 => ExportKind::Bf16,
    });
    let ExportArgs { to, model, raw, no_card, force, .. } = args;
    let what = Export { to, model, raw, kind, card: !no_card, force };
    let done = export(&path, &what).map_err(told)?;
    let held = if done.averaged { "averaged weights" } else { "trained weights" };
    let (from, to) = (path.display(), done.path.display());
    out::line(format_args!("{held} of {from} in {to}: {} bytes, blake3 {}", done.bytes, done.hash))?;
    if !done.unconverted.is_empty() {
        let shown = done.unconverted.iter().take(3).map(|(name, kind)| format!("`{name}` ({kind:?})"));
        let more = if done.unconverted.len() > 3 { ", …" } else { "" };
        let shown = shown.collect::<Vec<_>>().join(", ");
        let count = counted(done.unconverted.len(), "tensor");
        out::line(format_args!("not converted, for `--kind` is for floating-point numbers: {count}, {shown}{more}"))?;
    }
    if let Some(card) = &done.card {
        out::line(format_args!("card: {}", card.display()))?;
    }
    Ok(())
}

/// The checkpoint that is meant.
fn place(given: &Path) -> Result<PathBuf, Failure> {
    match given.join(CHECKPOINTS).is_dir() {
        true => checkpoint::newest(given),
        false if given.is_dir() => Ok(given.to_owned()),
        false => {
            let text = format!("`{}` is not a folder; name that of a checkpoint, or of a run", given.display());
            Err(Failure::Usage(text))
        }
    }
}

/// What the command line asks for and can't be is wrong usage.
fn told(error: Error) -> Failure {
    match error.downcast_ref::<WeightsError>() {
        Some(wrong @ WeightsError::Path { .. }) => Failure::Usage(wrong.to_string()),
        _ => Failure::Run(error),
    }
}

/// Writes what `predict` computes.
fn script<T: Build>(args: &ExportArgs, path: &Path) -> Result<(), Failure> {
    if args.raw || args.kind.is_some() || args.model.is_some() {
        let text = "`--raw`, `--kind` and `--model` are for weights, `--to net.safetensors`: a program is recorded as `predict` computes it";
        return Err(Failure::Usage(text.to_owned()));
    }
    let Some(run) = FinishedRun::of_checkpoint(path) else {
        let text = format!("`{}` is in no run's folder, whose experiment says what `predict` computes", path.display());
        return Err(Failure::Usage(text));
    };
    // a program runs anywhere, and its constants are loaded to any device
    let device = Some(DeviceChoice::Cpu);
    let experiment = run.path().to_owned();
    let (experiments, with) = (vec![experiment], Vec::new());
    let of = ExperimentArgs { experiments, with, set: args.set.clone(), name: None, work_dir: None, device };
    let traced = Loaded::<T>::read(&of, Purpose::Run)?
        .used_by(|experiment| run_script(experiment, path, args.output.as_deref()))?;
    let done = write_script(&traced.module, &args.to, args.force).map_err(told)?;
    let (from, to) = (path.display(), done.path.display());
    out::line(format_args!("`predict` of {from} in {to}: {} bytes, blake3 {}", done.bytes, done.hash))?;
    out::line(format_args!("takes: {}", traced.inputs.join(", ")))?;
    out::line(format_args!("gives: {}", traced.output))?;
    if !traced.left_out.is_empty() {
        out::line(format_args!("left out: {}", traced.left_out.join(", ")))?;
    }
    if let Some(why) = &traced.fixed {
        out::error_line(format_args!("warning: it serves for batches of this size alone: with one sample less {why}"));
    }
    Ok(())
}
