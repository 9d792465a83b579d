//! The command line that `engine::main!` gives to every program.
//!
//! Exit codes: 0 done; 1 failed while running; 2 wrong usage or experiment; 130 and 143 stopped by SIGINT or
//! SIGTERM after the checkpoint of the last finished iter was written. Errors go to stderr, one line first.

mod args;
mod list;
mod out;
mod plan;
mod predictions;

use crate::base::{Error, Result, registry};
use crate::config::ConfigErrors;
use crate::folder::Mode;
use crate::loops::{End, Role};
use crate::native;
use crate::trainer::{
    Build, Experiment, Overrides, Purpose, Refused, Summary, run_predict, run_test, run_train, run_val,
};
use args::{Command, ExperimentArgs};
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// Makes the program of a trainer: `engine::main!(Digits);`.
#[macro_export]
macro_rules! main {
    ($trainer:ty) => {
        fn main() -> ::std::process::ExitCode {
            $crate::cli::main::<$trainer>(::std::env::args_os())
        }
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
        match error.downcast_ref::<Refused>() {
            Some(refused) => Failure::Usage(refused.to_string()),
            None => Failure::Run(error),
        }
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Failure::Experiment(Box::new(errors))
    }
}

/// Runs the command line of a program. The first argument is the program's name.
pub fn main<T: Build>(arguments: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>) -> ExitCode {
    let command = match args::parse::<T>(arguments) {
        Ok(command) => command,
        Err(usage) => {
            // help and version are no errors
            let code = u8::try_from(usage.exit_code()).unwrap_or(2);
            let _ = usage.print();
            return ExitCode::from(code);
        }
    };
    match run::<T>(command) {
        Ok(code) => code,
        Err(Failure::Experiment(errors)) => {
            eprintln!("{}", errors.render(std::io::stderr().is_terminal()));
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

fn run<T: Build>(command: Command) -> Result<ExitCode, Failure> {
    check_registry()?;
    match command {
        Command::List { kind } => {
            list::print(kind.as_deref()).map_err(Failure::Usage)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { experiments } => {
            check::<T>(&experiments)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Plan { experiment } => {
            plan::print(load::<T>(&experiment)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Train { experiment, resume, fresh, max_iters } => {
            let mode = match (resume, fresh) {
                (true, _) => Mode::Resume,
                (_, true) => Mode::Fresh,
                _ => Mode::New,
            };
            prepare_device()?;
            let mut loaded = load::<T>(&experiment)?;
            loaded.apply(&Overrides { max_iters, ..Overrides::default() });
            let folder = loaded.work_dir.join(&loaded.name);
            let summary = run_train(loaded, mode)?;
            print_metrics(&summary);
            out::line(format_args!("run folder: {}", folder.display()));
            Ok(exit_code(&summary, "; `--resume` goes on from there"))
        }
        Command::Val { experiment, checkpoint } => {
            needs_loader::<T>(Role::Val)?;
            prepare_device()?;
            let summary = run_val(load::<T>(&experiment)?, &checkpoint.resolve()?)?;
            print_metrics(&summary);
            Ok(exit_code(&summary, ""))
        }
        Command::Test { experiment, checkpoint } => {
            needs_loader::<T>(Role::Test)?;
            prepare_device()?;
            let summary = run_test(load::<T>(&experiment)?, &checkpoint.resolve()?)?;
            print_metrics(&summary);
            Ok(exit_code(&summary, ""))
        }
        Command::Predict { experiment, checkpoint, out } => {
            needs_loader::<T>(Role::Predict)?;
            prepare_device()?;
            let loaded = load::<T>(&experiment)?;
            let checkpoint = checkpoint.resolve()?;
            let path = out.unwrap_or_else(|| loaded.work_dir.join(&loaded.name).join("predictions.jsonl"));
            let mut file = predictions::Predictions::create(&path)?;
            let summary = run_predict(loaded, &checkpoint, &mut |prediction| file.write(&prediction))?;
            if summary.end == End::Finished {
                let written = file.finish()?;
                out::line(format_args!("{written} predictions in {}", path.display()));
            }
            Ok(exit_code(&summary, "; what was predicted so far is dropped"))
        }
    }
}

/// Every mistake of every file.
fn check<T: Build>(experiments: &[std::path::PathBuf]) -> Result<(), Failure> {
    let mut failed: Option<ConfigErrors> = None;
    for path in experiments {
        match Experiment::<T>::load(path, &[]) {
            Ok(_) => out::line(format_args!("{}: ok", path.display())),
            Err(errors) => {
                if let Some(earlier) = failed.replace(errors) {
                    eprintln!("{}\n", earlier.render(std::io::stderr().is_terminal()));
                }
            }
        }
    }
    failed.map_or(Ok(()), |errors| Err(errors.into()))
}

fn load<T: Build>(args: &ExperimentArgs) -> Result<Experiment<T>, Failure> {
    Ok(Experiment::load_for(Purpose::Run, &args.experiment, &args.set, &args.given()?)?)
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
