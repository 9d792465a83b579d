//! `checkpoints`: what there is of a run, whether it is whole, what is in it, in what two differ, and deleting.

mod compare;
mod list;
mod remove;
pub(super) mod text;

use crate::checkpoint::{self, Checkpoint};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::folder::CHECKPOINTS;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use text::{bytes, counted, kind_and_shape};

/// What to do with checkpoints.
#[derive(Debug, Subcommand)]
pub(super) enum Checkpoints {
    /// Lists those of a run: names, epoch, iter, size, whole or damaged, metrics
    List {
        /// A run's folder, or a checkpoint's
        #[arg(value_name = "RUN")]
        path: PathBuf,
    },
    /// Reads every byte and compares it with the hashes of the manifest; exits with 1 when anything is damaged
    Verify {
        /// A run's folder, or a checkpoint's
        #[arg(value_name = "RUN")]
        path: PathBuf,
    },
    /// Shows what one consists of; with `--verbose` also every tensor
    Show {
        /// A checkpoint's folder, or a run's, which stands for its newest one
        #[arg(value_name = "CHECKPOINT")]
        path: PathBuf,
    },
    /// Shows which tensors of two differ and by how much; exits with 1 when any does
    Diff {
        /// A checkpoint's folder, a run's (its newest one), or a `.safetensors` file
        #[arg(value_name = "A")]
        before: PathBuf,
        /// Another one
        #[arg(value_name = "B")]
        after: PathBuf,
    },
    /// Deletes some; the only good one of a run is kept unless `--last` is given
    Rm {
        /// The folders of checkpoints, all of one run
        #[arg(required = true, value_name = "CHECKPOINT")]
        paths: Vec<PathBuf>,
        /// Also when the run keeps no good one
        #[arg(long)]
        last: bool,
    },
}

/// Runs one of the commands.
pub(super) fn run(what: Checkpoints, verbose: bool) -> Result<ExitCode, Failure> {
    match what {
        Checkpoints::List { path } => list::print(&all(&path)?).map(|()| ExitCode::SUCCESS),
        Checkpoints::Verify { path } => verify(&all(&path)?),
        Checkpoints::Show { path } => show(&newest(&path)?, verbose).map(|()| ExitCode::SUCCESS),
        Checkpoints::Diff { before, after } => compare::print(&newest(&before)?, &newest(&after)?, verbose),
        Checkpoints::Rm { paths, last } => remove::remove(&paths, last).map(|()| ExitCode::SUCCESS),
    }
}

/// The checkpoints that a path stands for: all of a run, newest first, or the one itself.
fn all(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refused = |why: &str| Failure::Usage(format!("`{}` {why}", path.display()));
    let is_run = path.join(CHECKPOINTS).is_dir();
    let folder = if is_run { path.join(CHECKPOINTS) } else { path.to_owned() };
    match () {
        () if !path.is_dir() => Err(refused("is not a folder; name a run's or a checkpoint's")),
        () if !is_run && path.join("manifest").symlink_metadata().is_ok() => Ok(vec![path.to_owned()]),
        () => {
            let found = checkpoint::list(&folder).map_err(crate::base::Error::from)?;
            let is_one = |path: &PathBuf| path.join("manifest").symlink_metadata().is_ok();
            match is_run || found.iter().any(is_one) {
                true if found.is_empty() => Err(refused("has no checkpoint yet")),
                true => Ok(found),
                false => Err(refused("holds no checkpoint; name a run's folder or a checkpoint's")),
            }
        }
    }
}

/// The checkpoint that a path stands for: a run's newest one, or whatever it is itself.
fn newest(path: &Path) -> Result<PathBuf, Failure> {
    match path.is_dir() {
        true => all(path).map(|mut found| found.swap_remove(0)),
        false if path.is_file() => Ok(path.to_owned()),
        false => Err(Failure::Usage(format!("`{}` is not there", path.display()))),
    }
}

fn verify(paths: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut damaged = 0;
    for path in paths {
        let found = match Checkpoint::open(path) {
            Ok(checkpoint) => checkpoint.damage(),
            Err(error) => vec![error],
        };
        match found.as_slice() {
            [] => out::line(format_args!("{}: whole", path.display()))?,
            wrong => {
                damaged += 1;
                out::line(format_args!("{}: damaged", path.display()))?;
                wrong.iter().try_for_each(|why| out::line(format_args!("  {why}")))?;
            }
        }
    }
    Ok(if damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(path: &Path, verbose: bool) -> Result<(), Failure> {
    let checkpoint = Checkpoint::open(path).map_err(crate::base::Error::from)?;
    show_open(&checkpoint, verbose).map_err(Failure::Run)
}

fn show_open(checkpoint: &Checkpoint, verbose: bool) -> crate::base::Result<()> {
    let (meta, measured) = (checkpoint.meta()?, checkpoint.measured()?);
    out::line(checkpoint.path().display())?;
    out::line(format_args!("  {}, {}; format {}, engine {}", meta.epoch, meta.iter, meta.version, meta.engine))?;
    out::line(format_args!("  names: {}", meta.names.join(", ")))?;
    for (key, note) in &meta.notes {
        out::line(format_args!("  {key}: {note}"))?;
    }
    for (name, value) in &measured.metrics {
        let of = match measured.validated_at {
            Some(iter) if iter != meta.iter => format!("  (of {iter})"),
            _ => String::new(),
        };
        out::line(format_args!("  {name} = {value}{of}"))?;
    }
    for model in checkpoint.models() {
        let raw = if checkpoint.has_raw(&model) {
            "; validated with an average, the trained weights lie beside it"
        } else {
            ""
        };
        let weights = checkpoint.weights(&model, false)?;
        let count: usize = weights.iter().map(|(_, tensor)| tensor.numel()).sum();
        let tensors = counted(weights.len(), "tensor");
        out::line(format_args!("  model `{model}`: {tensors} with {}{raw}", counted(count, "number")))?;
        if verbose {
            for (name, tensor) in &weights {
                out::line(format_args!("    {name}: {}", kind_and_shape(tensor)))?;
            }
        }
    }
    for (file, size) in checkpoint.files() {
        out::line(format_args!("  {file}: {}", bytes(size)))?;
    }
    Ok(())
}
