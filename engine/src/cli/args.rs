//! The commands and their options, with the help that people learn them from.

use crate::cli::batch_find::BatchFindArgs;
#[cfg(feature = "board")]
use crate::cli::board::BoardArgs;
use crate::cli::checkpoints::Checkpoints;
use crate::cli::experiment_args::{ExperimentArgs, device, set_instead};
use crate::cli::lr_find::LrFindArgs;
use crate::cli::out::ColorChoice;
use crate::cli::plot::PlotArgs;
use crate::cli::program::program;
use crate::cli::ranks::RanksArg;
#[cfg(feature = "board")]
use crate::cli::report::ReportArgs;
use crate::cli::sweep::SweepArgs;
use crate::cli::time::Span;
use crate::loops::ProfileWindow;
use crate::native::libtorch_version;
use crate::sinks::{ConsoleOptions, Verbosity};
use crate::trainer::{Build, DeviceChoice};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Trains and evaluates what experiment files describe.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    style: Style,
}

/// How much is printed, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Style {
    /// Colours: `auto` (on a terminal, unless `NO_COLOR` is set), `always` or `never`
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true, value_name = "WHEN")]
    pub(super) color: ColorChoice,
    /// Print only warnings, errors and results
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print also what otherwise only `log.txt` holds: versions, device, threads, git commit
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

impl Style {
    pub(super) fn console(&self) -> ConsoleOptions {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        ConsoleOptions { verbosity, color: self.color.stdout().0 }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Trains an experiment in its run folder, `work_dir/name`
    Train {
        #[command(flatten)]
        experiment: ExperimentArgs,
        /// Go on with the run in the folder, from its newest checkpoint; `--resume=auto` begins it where there is none;
        /// `--resume=PATH` goes on from another checkpoint of the run, and leaves newer ones behind
        #[arg(long, conflicts_with_all = ["fresh", "fork"], value_name = "auto|PATH", num_args = 0..=1, require_equals = true)]
        resume: Option<Option<PathBuf>>,
        /// With `--resume`: go on also when a hook had ended the training
        #[arg(long = "continue", requires = "resume")]
        past_end: bool,
        /// Start anew; a run that is in the folder is moved aside, never deleted
        #[arg(long)]
        fresh: bool,
        /// Begin a new run with the whole state of a checkpoint, of this run or another; `--name` names it
        #[arg(long, value_name = "PATH", conflicts_with = "fresh")]
        fork: Option<PathBuf>,
        /// Stops after this many updates
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        max_iters: Option<u64>,
        /// Saves the last finished iter after this time and ends, `3h50m`; a job of SLURM does so two minutes before its end
        #[arg(long, value_name = "TIME")]
        max_time: Option<Span>,
        /// Profile these iters of this process, `11..20`: a trace in the run folder, and what phases, hooks, operators and
        /// kernels cost; without a range, the iters 11 to 20
        #[arg(long, value_name = "FROM..TO", num_args = 0..=1, require_equals = true, default_missing_value = "11..20")]
        profile: Option<ProfileWindow>,
        /// Try everything for a moment in a temporary folder, and keep nothing: a few updates, a checkpoint, a resume, and two
        /// batches of each validation, test and prediction
        #[arg(
            long,
            conflicts_with_all = ["resume", "fresh", "fork", "max_iters", "max_time", "profile", "ranks", "restarts", "limit_val", "overfit"]
        )]
        smoke: bool,
        /// Train on the first N batches of each train loader again and again, as `train.overfit` says: a model that can't learn
        /// them by heart has a mistake
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        overfit: Option<u64>,
        /// Validate with so many batches of each val loader, the first ones
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        limit_val: Option<u64>,
        /// Start with these weights instead of `weights.file`: a `.safetensors` file, an index, a folder, a checkpoint, or
        /// `hf:ORG/NAME`; with several models `MODEL=FILE`, as often as needed
        #[arg(long, value_name = "FILE")]
        weights: Vec<String>,
        /// Train in so many processes on this machine, each on its own part of every batch, instead of `dist.ranks`; `gpu`: in
        /// one for each CUDA device
        #[arg(long, value_name = "N|gpu")]
        ranks: Option<RanksArg>,
        /// With several ranks: start all of them again after one has failed, so often, from the newest checkpoint
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        restarts: u64,
    },
    /// Validates the weights of a checkpoint
    Val {
        #[command(flatten)]
        what: EvaluationArgs,
    },
    /// Tests the weights of a checkpoint
    Test {
        #[command(flatten)]
        what: EvaluationArgs,
    },
    /// Predicts with the weights of a checkpoint, into `predictions.jsonl`
    Predict {
        #[command(flatten)]
        what: EvaluationArgs,
        /// The file to write, instead of `predictions.jsonl` in the run folder: lines of JSON, or with the ending `.safetensors`
        /// tensors; a file that is there is replaced
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// A tensor of the predictions whose samples are written as PNG images too, into a folder of its name beside the
        /// file; may be repeated
        #[arg(long, value_name = "TENSOR")]
        images: Vec<String>,
    },
    /// Computes metrics over predictions that were written before; no model is asked
    Eval {
        #[command(flatten)]
        experiment: ExperimentArgs,
        /// The file that `predict` has written: lines of JSON or `.safetensors`
        #[arg(long, value_name = "FILE")]
        predictions: PathBuf,
    },
    /// Runs the update of a dump again alone: its losses, its gradients, and the first operator that was not finite
    Replay(ReplayArgs),
    /// Writes the weights of a checkpoint as one file for others, with a card that says what they are
    Export(ExportArgs),
    /// Looks at the checkpoints of a run: lists, verifies, shows, compares and deletes them
    Checkpoints {
        #[command(subcommand)]
        what: Checkpoints,
    },
    /// Reads experiments and prints every mistake in them; nothing is opened or run
    Check {
        /// Experiment files, or patterns in quotes: "experiments/*.ron"
        #[arg(required = true, value_name = "EXP")]
        experiments: Vec<PathBuf>,
        /// Reads the files as one experiment, each over the ones before it, as the other commands do
        #[arg(long)]
        together: bool,
        /// Puts the value of a file over the one at a path of each file, `model=models/wide.ron`; as often as needed, before `--set`
        #[arg(long, value_name = "PATH=FILE")]
        with: Vec<String>,
        /// Sets a value over each file, `device=Cpu`; as often as needed
        #[arg(long, value_name = "PATH=VALUE")]
        set: Vec<String>,
    },
    /// Prints an experiment with everything it builds on, and where each value was written
    Show {
        #[command(flatten)]
        experiment: ExperimentArgs,
        /// Also every default; what is printed is a whole experiment that runs by itself
        #[arg(long)]
        full: bool,
    },
    /// Prints every setting in which two experiments differ, defaults included
    Diff {
        /// An experiment file, or a run's folder
        #[arg(value_name = "A")]
        before: PathBuf,
        /// Another one
        #[arg(value_name = "B")]
        after: PathBuf,
    },
    /// Prints the runs in a folder: state, length, git commit, best metrics
    Runs {
        /// A folder with runs in it, or a run's
        #[arg(value_name = "FOLDER", default_value = "runs")]
        folder: PathBuf,
        /// As JSON, with every metric
        #[arg(long)]
        json: bool,
    },
    /// Draws metrics of a run in the terminal, or as SVG
    Plot(PlotArgs),
    /// Writes the page of runs as one file, for people who do not have the runs
    #[cfg(feature = "board")]
    Report(ReportArgs),
    /// Shows runs in a browser, also while they run: curves, settings, checkpoints, logs
    #[cfg(feature = "board")]
    Board(BoardArgs),
    /// Trains an experiment many times with different settings, as a sweep file says, and compares the results
    Sweep(SweepArgs),
    /// Prints which hooks each phase calls, in order, with their levels
    Plan {
        #[command(flatten)]
        experiment: ExperimentArgs,
        /// Instead: what a training in so many ranks reads, does, writes and needs; data are opened, and nothing is started
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
        ranks: Option<u32>,
    },
    /// Prints the learning rate of each parameter group over the whole training, without training
    Schedule {
        #[command(flatten)]
        experiment: ExperimentArgs,
        /// Another setting: `momentum`, `weight_decay`, …
        #[arg(long, value_name = "NAME", default_value = "lr")]
        setting: String,
        /// Draws the values into an SVG file too; one that is there is replaced
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
    /// Trains for some updates with a rising learning rate, draws the loss over it, and suggests one; nothing is kept
    LrFind(LrFindArgs),
    /// Finds the largest batch that fits into memory, and tells how fast batches of each size are; nothing is kept
    BatchFind(BatchFindArgs),
    /// Computes one step, and prints parameters and operations of each module, and the memory of weights and gradients
    Summary {
        #[command(flatten)]
        experiment: ExperimentArgs,
    },
    /// Lists the components that experiments can name, with types, ranges, defaults and docs of their settings
    List {
        /// One kind (hooks, models, datasets, optimizers, schedules, samplers, metrics, sinks, loops, steps, settings) or one component
        kind: Option<String>,
    },
    /// Writes an experiment with every setting of this trainer, each with what it is for
    New {
        /// The file to write; it must not be there yet. Without it the text is printed
        #[arg(value_name = "FILE")]
        path: Option<PathBuf>,
    },
    /// Prints a script that lets the shell complete commands and options
    #[command(after_help = "For bash: `PROGRAM completions bash > ~/.local/share/bash-completion/completions/PROGRAM`")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints what completes a word behind `--set`; the scripts of `completions` ask it
    #[command(hide = true)]
    Candidates {
        /// The word so far
        word: String,
        /// The command line so far
        #[arg(last = true)]
        line: Vec<OsString>,
    },
    /// Prints a JSON schema of the experiments of this program
    Schema,
}

impl Command {
    /// Whether SIGINT, SIGTERM and SIGUSR1 are for the command to handle; they end the others at once.
    pub(super) fn listens(&self) -> bool {
        use Command::{BatchFind, LrFind, Predict, Sweep, Test, Train, Val};
        match self {
            Train { .. } | Val { .. } | Test { .. } | Predict { .. } | LrFind(_) => true,
            Sweep(args) => args.is_run(),
            BatchFind(args) => args.is_probe(),
            _ => false,
        }
    }
}

/// `val`, `test` and `predict`.
#[derive(Debug, clap::Args)]
pub(super) struct EvaluationArgs {
    #[command(flatten)]
    pub(super) experiment: ExperimentArgs,
    /// A checkpoint's folder, a run's folder (its newest checkpoint), or a `.safetensors` file; of the experiment's own run:
    /// `last`, `best`, or `best:METRIC` where several are kept
    #[arg(long, value_name = "PATH|last|best")]
    pub(super) checkpoint: PathBuf,
    /// With the weights as they were trained, also where the training has evaluated an average of them
    #[arg(long)]
    pub(super) raw: bool,
    /// In so many processes of this machine, each with its part of the data; the results are those of one. `gpu`: in one for
    /// each CUDA device
    #[arg(long, value_name = "N|gpu")]
    pub(super) ranks: Option<RanksArg>,
}

/// `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// A dump: a folder below `dumps` of a run
    #[arg(value_name = "DUMP")]
    pub(super) dump: PathBuf,
    /// The experiment, instead of that of the run which has written the dump
    #[arg(long, value_name = "EXP")]
    pub(super) experiment: Option<PathBuf>,
    /// Sets a value over the experiment, `device=Cpu`; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// `cpu`, `cuda`, `cuda:1` or `auto`, instead of the experiment's
    #[arg(long, value_parser = device)]
    pub(super) device: Option<DeviceChoice>,
}

/// `export`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// A checkpoint's folder, or a run's, which stands for its newest one
    #[arg(value_name = "CHECKPOINT")]
    pub(super) checkpoint: PathBuf,
    /// The file to write: `net.safetensors`, or `net.pt` for what `predict` computes as a TorchScript program; `{hash}` in
    /// its name becomes the first digits of its hash
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
    /// The model, where the checkpoint holds several
    #[arg(long)]
    pub(super) model: Option<String>,
    /// The weights as they were trained, also where validations use an average of them
    #[arg(long)]
    pub(super) raw: bool,
    /// The precision: `f32`, `f16` or `bf16`; by default as they are
    #[arg(long, value_enum, hide_possible_values = true)]
    pub(super) kind: Option<WeightKind>,
    /// Write no `README.md` beside the file
    #[arg(long)]
    pub(super) no_card: bool,
    /// Replace files of an earlier export
    #[arg(long)]
    pub(super) force: bool,
    /// With `net.pt`: the tensor of the prediction that the program gives, if there are several
    #[arg(long, value_name = "NAME")]
    pub(super) output: Option<String>,
    /// With `net.pt`: sets a value over the run's experiment, `loaders.unseen.dataset.path=..`; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
}

/// `--kind`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum WeightKind {
    // no doc comments: the option's help says all
    F32,
    F16,
    Bf16,
}

/// Reads the command line. Usage errors, help and version come back as clap's errors.
pub(super) fn parse<T: Build>(
    version: &str,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<(Command, Style), clap::Error> {
    let matches = command::<T>(version).try_get_matches_from(arguments).map_err(with_set)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok((cli.command, cli.style))
}

/// Says how a value is set to who has written `optimizer.lr=0.1` alone.
fn with_set(mut usage: clap::Error) -> clap::Error {
    if usage.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(argument)) = usage.get(ContextKind::InvalidArg)
        && let Some(tip) = set_instead(argument)
    {
        usage.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    usage
}

/// The commands of a program, with their help.
pub(super) fn command<T: Build>(version: &str) -> clap::Command {
    let about = format!("Trains and evaluates `{}` as experiment files describe it", T::NAME);
    let version = format!("{version} (engine {}, libtorch {})", env!("CARGO_PKG_VERSION"), libtorch_version());
    Cli::command()
        .name(program())
        .about(about)
        .version(version)
        .after_help(FIRST_STEPS)
        .after_long_help(format!("{FIRST_STEPS}\n\n{LAYERS}"))
}

/// Files over files, for the long help.
const LAYERS: &str = "\
Files over files:
  base: [\"a.ron\", \"b.ron\"]         read before this file, the later over the earlier
  optimizer: (lr: 0.1)             without a name, or with the same: changes these settings
  optimizer: Sgd(lr: 0.1)          with another name: replaces all that was there
  train: Replace((max_epochs: 3))  takes nothing over from the base
  custom_hooks: [Ema()]            replaces the list of the base
  custom_hooks: Append([Ema()])    adds to it at the end, and `Prepend` at the begin
  custom_hooks: Patch({\"Ema\": (decay: 0.9), 0: (level: HIGH)})
                                   changes its elements, by name or number
  hooks: (ema: Off)                switches a hook off; settings switch it on again
  hooks: (ema: (level: LOW))       moves it in its phases: lower levels run first, from
                                   HIGHEST (0), HIGHER (10), … to LOWEST (60), or 0 to 100
  model: (hidden: Default)         takes back what the base says: the default again
  work_dir: Env(\"RUNS\", \"runs\")    from the environment, or else this
  seed: Ref(\"train.max_epochs\")    the value at another path; `Mul(2, Ref(..))` calculates
  model: Include(\"wide.ron\")       the value that another file holds

The same on the command line, over all files:
  train a.ron b.ron                `b.ron` over `a.ron`
  --with model=wide.ron            the value of a file
  --set optimizer.lr=0.01 --set custom_hooks.Ema.decay=0.9 --set hooks.ema=Off";

const FIRST_STEPS: &str = "\
First steps:
  list              what an experiment can name: models, datasets, optimizers, hooks, …
  new exp.ron       an experiment with every setting of this program, explained
  check exp.ron     all mistakes in it, with the lines they are on
  train exp.ron     trains it in `work_dir/name`

Exit codes: 0 done; 1 failed while running; 2 wrong usage or experiment;
130 and 143 stopped by SIGINT or SIGTERM, after a checkpoint was saved.
SIGUSR1 saves a training, and it goes on.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sweep_that_runs_handles_signals() {
        let listens = |more: &[&str]| {
            let words = ["program", "sweep", "s.ron"].iter().chain(more);
            Cli::try_parse_from(words).unwrap().command.listens()
        };
        assert!(listens(&[]) && listens(&["--resume"]));
        assert!(!listens(&["--table"]) && !listens(&["--array"]));
    }
}
