//! The command line that `engine::main!` gives to every program.
//!
//! Exit codes: 0 done; 1 failed while running; 2 wrong usage or experiment; 130 and 143 stopped by SIGINT or
//! SIGTERM after the checkpoint of the last finished iter was written. Errors go to stderr, one line first.

mod args;
mod check;
mod describe;
mod list;
mod new;
mod out;
mod plan;
mod predictions;
mod show;

use crate::base::{Error, Result};
use crate::config::{self, ConfigErrors, Document, registry};
use crate::folder::Mode;
use crate::loops::{End, Role};
use crate::native;
use crate::trainer::{
    Build, Experiment, Overrides, Purpose, Refused, Summary, TrainOptions, run_predict, run_test, run_train, run_val,
};
use args::{Command, ExperimentArgs, Style};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Makes the program of a trainer: `engine::main!(Digits);`.
#[macro_export]
macro_rules! main {
    ($trainer:ty) => {
        /// For `check_experiments!`.
        #[allow(dead_code)]
        type EngineMainTrainer = $trainer;
        fn main() -> ::std::process::ExitCode {
            $crate::cli::main::<$trainer>(::core::env!("CARGO_PKG_VERSION"), ::std::env::args_os())
        }
    };
}

/// Makes a test of every experiment file that a pattern matches, so that a broken one fails `cargo test`.
///
/// ```text
/// engine::check_experiments!("experiments/*.ron");          // beside `engine::main!`
/// engine::check_experiments!(Digits, "experiments/*.ron");  // anywhere else
/// ```
/// The pattern is relative to the folder of the package. What is checked is what `check` checks, except for what
/// belongs to the machine: a device may be elsewhere.
#[macro_export]
macro_rules! check_experiments {
    ($pattern:literal $(,)?) => {
        #[cfg(test)]
        $crate::__private::check_experiments_of!($crate, EngineMainTrainer, $pattern);
    };
    ($trainer:ty, $pattern:literal $(,)?) => {
        #[cfg(test)]
        $crate::__private::check_experiments_of!($crate, $trainer, $pattern);
    };
}

/// Why a command ended without success.
enum Failure {
    /// Exit code 2.
    Experiment(Box<ConfigErrors>),
    /// Exit code 2: the command line asks for what can't be, as this text says.
    Usage(String),
    /// Exit code 1.
    Run(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Run(error)
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Failure::Experiment(Box::new(errors))
    }
}

/// Runs the command line of a program. The first argument is the program's name; `version` is what `--version` tells.
pub fn main<T: Build>(
    version: &str,
    arguments: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
) -> ExitCode {
    let (command, style) = match args::parse::<T>(version, arguments) {
        Ok(parsed) => parsed,
        Err(usage) => {
            // help and version are no errors
            let code = u8::try_from(usage.exit_code()).unwrap_or(2);
            let _ = usage.print();
            return ExitCode::from(code);
        }
    };
    match run::<T>(command, &style) {
        Ok(code) => code,
        Err(Failure::Experiment(errors)) => {
            eprintln!("{}", errors.render(style.color.stderr().0));
            ExitCode::from(2)
        }
        Err(Failure::Usage(text)) => {
            eprintln!("error: {text}");
            ExitCode::from(2)
        }
        Err(Failure::Run(error)) => {
            let mut texts = error.chain().into_iter();
            eprintln!("error: {}", texts.next().unwrap_or_default());
            texts.for_each(|cause| eprintln!("  caused by: {cause}"));
            ExitCode::FAILURE
        }
    }
}

fn run<T: Build>(command: Command, style: &Style) -> Result<ExitCode, Failure> {
    check_registry()?;
    match command {
        Command::List { kind } => {
            list::print::<T>(kind.as_deref()).map_err(Failure::Usage)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::New { path } => {
            new::write::<T>(path.as_deref(), &args::program())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Completions { shell } => {
            args::complete::<T>(shell);
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { experiments, set } => {
            check::check::<T>(&experiments, &set, style.color.stderr(), style.quiet)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { experiment, full } => {
            let document = document(&experiment)?;
            if !full {
                show::resolved(&document);
            }
            // what is printed may be wrong, and who prints it most likely wonders why
            let loaded = Experiment::<T>::from_document(&document, Purpose::Look)?;
            if full {
                show::complete(loaded.to_node()?, &document);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff { before, after } => {
            let (before, after) = (side::<T>(&before)?, side::<T>(&after)?);
            show::diff(&before, &after, style.color.stdout())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Plan { experiment } => {
            Loaded::<T>::read(&experiment, Purpose::Look)?.used_by(plan::print)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Train { experiment, resume, fresh, max_iters } => {
            let mode = match (resume, fresh) {
                (true, _) => Mode::Resume,
                (_, true) => Mode::Fresh,
                _ => Mode::New,
            };
            prepare_device()?;
            let mut loaded = Loaded::<T>::read(&experiment, Purpose::Run)?;
            loaded.experiment.apply(&Overrides { max_iters, ..Overrides::default() });
            let folder = loaded.folder();
            let options = TrainOptions { mode, verbosity: style.verbosity() };
            let summary = loaded.used_by(|experiment| run_train(experiment, options))?;
            print_metrics(&summary);
            out::line(format_args!("run folder: {}", folder.display()));
            Ok(exit_code(&summary, "; `--resume` goes on from there"))
        }
        Command::Val { experiment, checkpoint } => {
            needs_loader::<T>(Role::Val)?;
            prepare_device()?;
            let loaded = Loaded::<T>::read(&experiment, Purpose::Run)?;
            let checkpoint = checkpoint.resolve()?;
            let summary = loaded.used_by(|experiment| run_val(experiment, &checkpoint))?;
            print_metrics(&summary);
            Ok(exit_code(&summary, ""))
        }
        Command::Test { experiment, checkpoint } => {
            needs_loader::<T>(Role::Test)?;
            prepare_device()?;
            let loaded = Loaded::<T>::read(&experiment, Purpose::Run)?;
            let checkpoint = checkpoint.resolve()?;
            let summary = loaded.used_by(|experiment| run_test(experiment, &checkpoint))?;
            print_metrics(&summary);
            Ok(exit_code(&summary, ""))
        }
        Command::Predict { experiment, checkpoint, out } => {
            needs_loader::<T>(Role::Predict)?;
            prepare_device()?;
            let loaded = Loaded::<T>::read(&experiment, Purpose::Run)?;
            let checkpoint = checkpoint.resolve()?;
            let path = out.unwrap_or_else(|| loaded.folder().join("predictions.jsonl"));
            let mut file = predictions::Predictions::create(&path)?;
            let mut write = |prediction| file.write(&prediction);
            let summary = loaded.used_by(|experiment| run_predict(experiment, &checkpoint, &mut write))?;
            if summary.end == End::Finished {
                let written = file.finish()?;
                out::line(format_args!("{written} predictions in {}", path.display()));
            }
            Ok(exit_code(&summary, "; what was predicted so far is dropped"))
        }
    }
}

/// The file of an experiment; in a run's folder that is the one that the run saved.
fn experiment_file(path: &Path) -> PathBuf {
    let saved = path.join("experiment.ron");
    if path.is_dir() && saved.is_file() { saved } else { path.to_owned() }
}

fn document(args: &ExperimentArgs) -> Result<Document, Failure> {
    Ok(config::load_over(&experiment_file(&args.experiment), &args.set, &args.given()?)?)
}

/// One experiment of a comparison.
fn side<T: Build>(path: &Path) -> Result<show::Side, Failure> {
    let document = config::load_with::<&str>(&experiment_file(path), &[])?;
    let root = Experiment::<T>::from_document(&document, Purpose::Look)?.to_node()?;
    Ok(show::Side::new(root, document))
}

/// An experiment, and the text of it that mistakes point into.
struct Loaded<T: Build> {
    experiment: Experiment<T>,
    document: Document,
}

impl<T: Build> Loaded<T> {
    fn read(args: &ExperimentArgs, purpose: Purpose) -> Result<Self, Failure> {
        let document = document(args)?;
        Ok(Loaded { experiment: Experiment::from_document(&document, purpose)?, document })
    }

    /// The run's folder.
    fn folder(&self) -> PathBuf {
        self.experiment.work_dir.join(&self.experiment.name)
    }

    /// Hands the experiment over; what is wrong with it after all is shown in its text.
    fn used_by<R>(self, run: impl FnOnce(Experiment<T>) -> Result<R>) -> Result<R, Failure> {
        let Loaded { experiment, document } = self;
        run(experiment).map_err(|error| match error.downcast_ref::<Refused>() {
            Some(refused) => refused.in_document(&document).into(),
            None => Failure::Run(error),
        })
    }
}

/// libtorch's CUDA part is loaded when it lies beside the rest, so that one binary serves both kinds of machine.
fn prepare_device() -> Result<()> {
    native::load_accelerator()?;
    Ok(())
}

/// Two components of one kind with one name: no file could say which it means.
fn check_registry() -> Result<(), Failure> {
    match registry::duplicates().first() {
        None => Ok(()),
        Some((first, second)) => Err(Failure::Usage(format!(
            "two {}s are named `{}`: one at {}, one at {}; give one of them a `name = \"…\"`",
            first.kind, first.name, first.origin, second.origin
        ))),
    }
}

/// An evaluation of what the trainer does not have.
fn needs_loader<T: Build>(role: Role) -> Result<(), Failure> {
    match T::loaders(role).is_empty() {
        false => Ok(()),
        true => Err(Failure::Usage(format!(
            "`{0}` has no `#[loader({1})]`, so there is nothing to {1}",
            T::NAME,
            role.name()
        ))),
    }
}

fn print_metrics(summary: &Summary) {
    for (name, value) in &summary.metrics {
        out::line(format_args!("{name} = {value:.4}"));
    }
}

/// Tells why it ended before its end, and gives the exit code; `after_signal` is what that means for the user.
fn exit_code(summary: &Summary, after_signal: &str) -> ExitCode {
    match &summary.end {
        End::Finished => ExitCode::SUCCESS,
        End::Stopped { reason } => {
            out::line(format_args!("stopped at epoch {}, iter {}: {reason}", summary.epoch, summary.iter));
            ExitCode::SUCCESS
        }
        End::Signal(signal) => {
            eprintln!("stopped by {signal} at epoch {}, iter {}{after_signal}", summary.epoch, summary.iter);
            ExitCode::from(signal.exit_code())
        }
    }
}
