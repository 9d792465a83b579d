//! The commands and their options, with the help that people learn them from.

use crate::base::Error;
use crate::checkpoint::newest_valid;
use crate::cli::Failure;
use crate::config::{Given, Kind, Node, print, to_node};
use crate::trainer::{Build, DeviceChoice};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// Trains and evaluates what experiment files describe.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Trains an experiment in its run folder, `work_dir/name`
    Train {
        #[command(flatten)]
        experiment: ExperimentArgs,
        /// Go on with the run in the folder, from its newest checkpoint
        #[arg(long, conflicts_with = "fresh")]
        resume: bool,
        /// Start anew; a run that is in the folder is moved aside, never deleted
        #[arg(long)]
        fresh: bool,
        /// Stops after this many updates
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        max_iters: Option<u64>,
    },
    /// Validates the weights of a checkpoint
    Val {
        #[command(flatten)]
        experiment: ExperimentArgs,
        #[command(flatten)]
        checkpoint: CheckpointArgs,
    },
    /// Tests the weights of a checkpoint
    Test {
        #[command(flatten)]
        experiment: ExperimentArgs,
        #[command(flatten)]
        checkpoint: CheckpointArgs,
    },
    /// Predicts with the weights of a checkpoint, into `predictions.jsonl`
    Predict {
        #[command(flatten)]
        experiment: ExperimentArgs,
        #[command(flatten)]
        checkpoint: CheckpointArgs,
        /// The file to write, instead of `predictions.jsonl` in the run folder
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Reads experiments and prints every mistake in them
    Check {
        /// Experiment files
        #[arg(required = true, value_name = "EXP")]
        experiments: Vec<PathBuf>,
    },
    /// Prints which hooks each phase calls, in order, with their levels
    Plan {
        #[command(flatten)]
        experiment: ExperimentArgs,
    },
    /// Lists the components that experiments can name, with their settings
    List {
        /// Only one kind: hooks, models, datasets, optimizers, schedules, samplers, metrics, settings
        kind: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ExperimentArgs {
    /// The experiment file
    #[arg(value_name = "EXP")]
    pub(super) experiment: PathBuf,
    /// Sets a value over the file, `optimizer.lr=0.01`; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// The folder of all runs, instead of the file's
    #[arg(long, value_name = "DIR")]
    pub(super) work_dir: Option<PathBuf>,
    /// `cpu`, `cuda`, `cuda:1` or `auto`, instead of the file's
    #[arg(long, value_parser = device)]
    pub(super) device: Option<DeviceChoice>,
}

impl ExperimentArgs {
    /// What stands over the file besides `--set`.
    ///
    /// # Errors
    /// None that a person could cause.
    pub(super) fn given(&self) -> Result<Vec<Given>, Error> {
        let mut given = Vec::new();
        if let Some(device) = &self.device {
            let value = to_node(device).map_err(Error::new)?;
            let text = print(&value).trim_end().to_owned();
            given.push(Given { option: "--device", text, path: "device", value });
        }
        if let Some(work_dir) = &self.work_dir {
            let text = work_dir.display().to_string();
            let value = Node::new(Kind::Str(text.clone()));
            given.push(Given { option: "--work-dir", text, path: "work_dir", value });
        }
        Ok(given)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckpointArgs {
    /// A checkpoint's folder, a run's folder (its newest checkpoint), or a `.safetensors` file
    #[arg(long, value_name = "PATH")]
    checkpoint: PathBuf,
}

impl CheckpointArgs {
    /// The checkpoint that is meant: a run's folder means its newest one. Newer ones that can't be used are told.
    pub(super) fn resolve(self) -> Result<PathBuf, Failure> {
        let path = self.checkpoint;
        if let Err(error) = path.metadata() {
            let what = "name a checkpoint's folder, a run's folder or a `.safetensors` file";
            return Err(Failure::Usage(format!("`--checkpoint {}` can't be read: {error}; {what}", path.display())));
        }
        let checkpoints = path.join("checkpoints");
        if !checkpoints.is_dir() {
            return Ok(path);
        }
        let newest = newest_valid(&checkpoints).map_err(Error::from)?;
        for warning in &newest.warnings {
            eprintln!("warning: a checkpoint can't be used: {warning}");
        }
        match newest.found {
            Some((path, _)) => Ok(path),
            None => Err(Error::msg(format!("the run in `{}` has no checkpoint yet", path.display())).into()),
        }
    }
}

/// Reads the command line. Usage errors, help and version come back as clap's errors.
pub(super) fn parse<T: Build>(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Command, clap::Error> {
    let about = format!("Trains and evaluates `{}` as experiment files describe it", T::NAME);
    let matches = Cli::command().about(about).try_get_matches_from(arguments)?;
    Ok(Cli::from_arg_matches(&matches)?.command)
}

fn device(text: &str) -> Result<DeviceChoice, String> {
    let lower = text.to_lowercase();
    let index =
        lower.strip_prefix("cuda:").or_else(|| lower.strip_prefix("cuda(").and_then(|rest| rest.strip_suffix(')')));
    match (lower.as_str(), index) {
        ("cpu", _) => Ok(DeviceChoice::Cpu),
        ("auto", _) => Ok(DeviceChoice::Auto),
        ("cuda", _) => Ok(DeviceChoice::Cuda(0)),
        (_, Some(index)) => index.parse().map(DeviceChoice::Cuda).map_err(|_| format!("`{index}` is no device number")),
        _ => Err("expected `cpu`, `cuda`, `cuda:1` or `auto`".to_owned()),
    }
}
