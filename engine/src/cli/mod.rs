//! The command line that `engine::main!` gives to every program.
//!
//! Exit codes: 0 done; 1 failed while running, or `checkpoints` has found damage or a difference; 2 wrong usage or
//! experiment; 130 and 143 stopped by SIGINT or SIGTERM after the checkpoint of the last finished iter was written.
//! Errors are printed to stderr, beginning with a line that sums them up.

mod args;
mod batch_find;
#[cfg(feature = "board")]
mod board;
mod check;
mod checkpoint;
mod checkpoints;
mod completion;
mod describe;
pub(crate) mod entry;
mod eval;
mod experiment_args;
mod export;
mod failure;
mod list;
mod loaded;
mod lr_find;
mod new;
mod out;
mod plan;
mod plan_ranks;
mod plot;
mod predictions;
mod program;
mod ranks;
mod replay;
#[cfg(feature = "board")]
mod report;
mod runs;
mod schedule;
mod schema;
mod scratch;
mod show;
mod smoke;
mod summary;
mod sweep;
mod target;
mod time;
mod weights;

use crate::base::disk::parent;
use crate::base::{Error, ErrorContext as _, Result, libtorch, panics, signals};
use crate::config::{Given, Kind, Node, Over, registry};
use crate::dist::{Launched, follow_launcher};
use crate::folder::{Mode, PREDICTIONS};
use crate::loops::{End, Role};
use crate::native;
use crate::run::survive_file_size_limit;
use crate::sinks::ConsoleOptions;
use crate::trainer::{
    Build, Experiment, Fields, Purpose, Summary, TrainOptions, needs_loader, run_predict, run_test, run_train, run_val,
};
use args::{Command, EvaluationArgs, Style};
use describe::plural;
pub use entry::{Program, is_program};
use failure::Failure;
use loaded::{Loaded, document, side};
use out::Color;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use target::Target;

/// Makes the program of a trainer: `engine::main!(Digits);`.
#[macro_export]
macro_rules! main {
    // a `main` without a trainer is there, so that `experiment!` has no error of its own
    (@refused $message:literal, $($at:tt)+) => {
        fn main() -> $crate::__private::no_main::Nothing {
            $crate::__private::refuse!($message, $($at)+);
            loop {}
        }
    };
    () => {
        fn main() -> $crate::__private::no_main::Nothing {
            ::core::compile_error!("`engine::main!` takes the trainer of the program: `engine::main!(Digits);`");
            loop {}
        }
    };
    ($name:literal $($more:tt)*) => {
        $crate::main!(@refused "`engine::main!` takes the type of the trainer: `engine::main!(Digits);`", $name);
    };
    ($($path:ident)::+ ($($arguments:tt)*) $($more:tt)*) => {
        $crate::main!(
            @refused
            "`engine::main!` takes the type of the trainer, and makes the trainer itself: `engine::main!(Digits);`",
            $($path)::+
        );
    };
    ($($path:ident)::+ {$($fields:tt)*} $($more:tt)*) => {
        $crate::main!(
            @refused
            "`engine::main!` takes the type of the trainer, and makes the trainer itself: `engine::main!(Digits);`",
            $($path)::+
        );
    };
    ($trainer:ty, $file:literal $($more:tt)*) => {
        $crate::main!(
            @refused
            "the experiment is named when the program is started: `cargo run -- train experiment.ron`; write `engine::main!(Digits);`",
            $file
        );
    };
    (struct $($wrong:tt)+) => {
        $crate::main!(@refused "`engine::main!` takes the type of the trainer: `engine::main!(Digits);`", $($wrong)+);
    };
    ($trainer:ty, $($more:tt)+) => {
        $crate::main!(@refused "a program has one trainer: `engine::main!(Digits);`", $($more)+);
    };
    ($trainer:ty) => {
        // the result names the trainer, which `experiment!` and `check_experiments!` take from it; what is no trainer is told
        // once, in the constant
        fn main() -> $crate::__private::Ended<
            <$crate::trainer::OfMain<$trainer, { let _ = <$trainer as $crate::trainer::Fields>::NAME; true }>
                as $crate::trainer::NamedTrainer>::Trainer
        > {
            $crate::__private::run(::core::env!("CARGO_PKG_VERSION"))
        }
        // within a function this is another `main`, and nothing would call the one above
        const _: () = $crate::__private::is_program(&main, &self::main);
        // what could not be asked of a generic trainer before its parameters were named
        const _: () = {
            #[allow(unused_imports, reason = "a trainer has a constant of its own")]
            use $crate::__private::NotChecked as _;
            $crate::__private::Checked::<$trainer>::DONE
        };
    };
}

/// Looks at an experiment file when the package is compiled: a mistake of syntax, and a key that no experiment of the trainer
/// can have, do not compile.
///
/// ```text
/// engine::experiment!("experiments/digits.ron");          // beside `engine::main!`
/// engine::experiment!(Digits, "experiments/digits.ron");  // anywhere else
/// ```
/// The path is relative to the folder of the package. The names of sections, loaders and hooks are compared, and the keys
/// of settings whose type is fixed in code. What only names in the file decide, the types of values and rules
/// across settings are checked by [`check_experiments!`](crate::check_experiments), in a test.
#[macro_export]
macro_rules! experiment {
    ($file:literal $(,)?) => {
        $crate::__private::experiment_of!($crate, $file);
    };
    ($trainer:ty, $file:literal $(,)?) => {
        $crate::__private::experiment_of!($crate, $trainer, $file);
    };
    ($file:literal, $($more:tt)+) => {
        $crate::__private::refuse!("a call takes one file; call `engine::experiment!` once for each", $($more)+);
    };
    () => {
        ::core::compile_error!(
            "`engine::experiment!` takes the path of a file: `engine::experiment!(\"experiments/digits.ron\");`"
        );
    };
    ($($wrong:tt)+) => {
        $crate::__private::refuse!(
            "`engine::experiment!` takes the path of a file: `engine::experiment!(\"experiments/digits.ron\");`",
            $($wrong)+
        );
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
        $crate::__private::check_experiments_of!($crate, $pattern);
    };
    ($trainer:ty, $pattern:literal $(,)?) => {
        #[cfg(test)]
        $crate::__private::check_experiments_of!($crate, $trainer, $pattern);
    };
    ($pattern:literal, $($more:tt)+) => {
        $crate::__private::refuse!("a call takes one pattern; call `engine::check_experiments!` once for each", $($more)+);
    };
    () => {
        ::core::compile_error!(
            "`engine::check_experiments!` takes the pattern of the files: `engine::check_experiments!(\"experiments/*.ron\");`"
        );
    };
    ($($wrong:tt)+) => {
        $crate::__private::refuse!(
            "`engine::check_experiments!` takes the pattern of the files: `engine::check_experiments!(\"experiments/*.ron\");`",
            $($wrong)+
        );
    };
}

/// Runs the command line of a program. The first argument is the program's name; `version` is what `--version` tells.
pub fn main<T: Fields>(
    version: &str,
    arguments: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
) -> ExitCode {
    // first of all: a scheduler may send one at any instant
    let caught = catch_signals();
    let parsed = args::parse::<T>(version, arguments);
    if !parsed.as_ref().is_ok_and(|(command, _)| command.listens()) {
        // what this can't do is no reason to leave the command undone
        let _ = signals::release();
    }
    let (command, style) = match parsed {
        Ok(parsed) => parsed,
        // help and version are no errors
        Err(usage) => match out::written(usage.print()) {
            Err(error) if !usage.use_stderr() => return ended(error.into(), Color(false)),
            _ => return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2)),
        },
    };
    let launched = follow_launcher();
    // what the user's code does outside of a run, when a part is built or listed, may panic too
    let done =
        panics::catch("this program", || Ok(caught.map_err(Failure::from).and_then(|()| run::<T>(command, &style))));
    done.unwrap_or_else(|panicked| Err(Failure::Run(panicked))).unwrap_or_else(|failure| {
        match ranks::leave(&failure, launched) {
            true => failure.code(),
            false => ended(failure, style.color.stderr()),
        }
    })
}

/// From now on signals wait for the command that listens to them. So do signals that came before, when the process was started
/// with them blocked.
fn catch_signals() -> Result<()> {
    signals::catch_early(native::is_ignored).context("signal handlers can't be set")?;
    native::let_through(&signals::CAUGHT);
    Ok(())
}

/// Tells why a command ended without success.
fn ended(failure: Failure, color: Color) -> ExitCode {
    let code = failure.code();
    match failure {
        Failure::Experiment(errors) => out::error_line(errors.render(color.0)),
        Failure::Usage(text) => out::error_line(format_args!("error: {text}")),
        Failure::Run(error) => {
            let mut texts = error.chain().into_iter();
            out::error_line(format_args!("error: {}", texts.next().unwrap_or_default()));
            texts.for_each(|cause| out::error_line(format_args!("  caused by: {cause}")));
        }
    }
    code
}

fn run<T: Build>(command: Command, style: &Style) -> Result<ExitCode, Failure> {
    survive_file_size_limit()?;
    check_registry()?;
    libtorch::show_frames(style.verbose);
    match command {
        Command::List { kind } => list::print::<T>(kind.as_deref())?,
        Command::New { path } => new::write::<T>(path.as_deref(), &program::program())?,
        Command::Completions { shell } => {
            completion::print(shell, &mut args::command::<T>(""), &program::program())?;
        }
        Command::Candidates { word, line } => completion::print_candidates::<T>(&word, &line)?,
        Command::Schema => schema::print::<T>()?,
        Command::Check { experiments, together, with, set } => {
            let over = Over { with, sets: set, ..Over::default() };
            check::check::<T>(&experiments, together, &over, style)?;
        }
        Command::Show { experiment, full } => {
            let document = document(&experiment)?;
            if !full {
                show::resolved(&document)?;
            }
            // what is printed may be wrong, and who prints it most likely wonders why
            let loaded = Experiment::<T>::from_document(&document, Purpose::Inspect)?;
            if full {
                show::complete(loaded.to_node()?, &document)?;
            }
        }
        Command::Diff { before, after } => {
            let (before, after) = (side::<T>(&before)?, side::<T>(&after)?);
            show::diff(&before, &after, style.color.stdout())?;
        }
        Command::Replay(args) => replay::run::<T>(args, style.verbose)?,
        Command::Export(what) => export::run::<T>(what)?,
        Command::Checkpoints { what } => return checkpoints::run(what, style.verbose),
        Command::Sweep(what) => {
            prepare_device()?;
            return sweep::run::<T>(&what);
        }
        Command::Plan { experiment, ranks } => {
            let loaded = Loaded::<T>::read(&experiment, Purpose::Inspect)?;
            match ranks {
                None => loaded.used_by(plan::print)?,
                Some(ranks) => loaded.used_by(|experiment| plan_ranks::print(experiment, ranks as usize))?,
            }
        }
        Command::Schedule { experiment, setting, svg } => {
            let loaded = Loaded::<T>::read(&experiment, Purpose::Inspect)?;
            let svg = svg.map(|path| Target::checked(&path, &loaded.inputs())).transpose()?;
            loaded.used_by(|experiment| schedule::print(experiment, &setting, svg))?;
        }
        Command::Plot(args) => plot::plot(&args)?,
        #[cfg(feature = "board")]
        Command::Report(args) => report::write(args)?,
        Command::Runs { folder, json } => runs::print(&folder, json)?,
        #[cfg(feature = "board")]
        Command::Board(args) => match board::serve(args)? {},
        Command::LrFind(args) => {
            prepare_device()?;
            return lr_find::run::<T>(&args);
        }
        Command::BatchFind(args) => {
            prepare_device()?;
            return batch_find::run::<T>(&args);
        }
        Command::Summary { experiment } => {
            prepare_device()?;
            Loaded::<T>::read(&experiment, Purpose::Run)?.used_by(summary::print)?;
        }
        Command::Train {
            experiment,
            resume,
            past_end,
            fresh,
            fork,
            max_iters,
            max_time,
            profile,
            smoke,
            overfit,
            limit_val,
            weights,
            ranks,
            restarts,
        } => {
            if smoke {
                prepare_device()?;
                return smoke::run::<T>(&experiment, &weights, style);
            }
            let (mode, from) = match (resume, fresh) {
                (Some(Some(word)), _) if word.as_os_str() == "auto" => (Mode::Auto, None),
                (Some(path), _) => (Mode::Resume, path),
                (None, true) => (Mode::Fresh, None),
                (None, false) => (Mode::New, fork),
            };
            prepare_device()?;
            let mut given = weights::given(&weights, T::MODELS)?;
            given.extend(ranks::given(ranks.map(ranks::RanksArg::count).transpose()?));
            given.extend(overfit.map(|batches| Given {
                option: "--overfit",
                text: batches.to_string(),
                path: "train.overfit".to_owned(),
                value: Node::new(Kind::Int(batches.into())),
            }));
            let mut loaded = Loaded::<T>::read_with(&experiment, given, Purpose::Run)?;
            if let Some(ended) = ranks::launch(loaded.experiment.dist.ranks, restarts)? {
                return Ok(ended);
            }
            let time_limit = time::limit(max_time.as_ref());
            (loaded.experiment.stop_after, loaded.experiment.profile) = (max_iters, profile);
            loaded.experiment.evaluate_at_most = limit_val;
            let folder = loaded.folder();
            let from = from.map(|path| checkpoint::whole(path, &folder)).transpose()?;
            let options = TrainOptions { mode, from, past_end, time_limit, console: style.console() };
            let summary = loaded.used_by(|experiment| run_train(experiment, options))?;
            print_metrics(&summary)?;
            if summary.rank == 0 && summary.began {
                out::line(format_args!("run folder: {}", summary.folder.as_ref().unwrap_or(&folder).display()))?;
            }
            return exit_code(&summary, "; continue with `--resume`");
        }
        Command::Eval { experiment, predictions } => {
            prepare_device()?;
            eval::run::<T>(&experiment, &predictions)?;
        }
        Command::Val { what } => return evaluate::<T>(Role::Val, what, style, run_val),
        Command::Test { what } => return evaluate::<T>(Role::Test, what, style, run_test),
        Command::Predict { what, out, images } => {
            let (loaded, checkpoint) = match evaluated::<T>(Role::Predict, what)? {
                Evaluated::Here(loaded, checkpoint) => (loaded, checkpoint),
                Evaluated::InRanks(code) => return Ok(code),
            };
            let path = out.unwrap_or_else(|| loaded.folder().join(PREDICTIONS));
            let inputs = [loaded.inputs(), vec![checkpoint.clone()]].concat();
            target::check(&path, &inputs)?;
            images.iter().try_for_each(|name| target::check_owner(&parent(&path).join(name), &inputs))?;
            let is_main = Launched::of_environment().map_err(Error::new)?.is_none_or(|launched| launched.rank == 0);
            let mut file = is_main.then(|| predictions::Predictions::create(&path, &images)).transpose()?;
            let mut write = |prediction| file.as_mut().map_or(Ok(()), |file| file.write(&prediction));
            let summary =
                loaded.used_by(|experiment| run_predict(experiment, &checkpoint, style.console(), &mut write))?;
            if let (End::Finished, Some(file)) = (&summary.end, file) {
                let written = file.finish()?;
                let plural = if written == 1 { "" } else { "s" };
                out::line(format_args!("{written} prediction{plural} in {}", path.display()))?;
            }
            return exit_code(&summary, "; the predictions made so far are deleted");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `val` and `test`.
fn evaluate<T: Build>(
    role: Role,
    what: EvaluationArgs,
    style: &Style,
    run: impl FnOnce(Experiment<T>, &Path, ConsoleOptions) -> Result<Summary>,
) -> Result<ExitCode, Failure> {
    let (loaded, checkpoint) = match evaluated::<T>(role, what)? {
        Evaluated::Here(loaded, checkpoint) => (loaded, checkpoint),
        Evaluated::InRanks(code) => return Ok(code),
    };
    let summary = loaded.used_by(|experiment| run(experiment, &checkpoint, style.console()))?;
    print_metrics(&summary)?;
    exit_code(&summary, "")
}

/// Where an evaluation takes place.
enum Evaluated<T: Build> {
    /// In this process: the experiment and the checkpoint.
    Here(Loaded<T>, PathBuf),
    /// In the ranks that this process has started: how they have ended.
    InRanks(ExitCode),
}

fn evaluated<T: Build>(role: Role, what: EvaluationArgs) -> Result<Evaluated<T>, Failure> {
    needs_loader::<T>(role).map_err(Failure::Usage)?;
    prepare_device()?;
    let raw = what.raw.then(|| Given {
        option: "--raw",
        text: String::new(),
        path: "eval_weights".to_owned(),
        value: Node::named("Trained", Kind::Unit),
    });
    let loaded = Loaded::read_with(&what.experiment, raw.into_iter().collect(), Purpose::Run)?;
    let checkpoint = checkpoint::resolve(what.checkpoint, &loaded.folder())?;
    // `dist.ranks` is that of the training
    let ranks = what.ranks.map(ranks::RanksArg::count).transpose()?.map(|ranks| ranks as usize);
    Ok(match ranks::launch(ranks, 0)? {
        Some(code) => Evaluated::InRanks(code),
        None => Evaluated::Here(loaded, checkpoint),
    })
}

/// libtorch's CUDA part is loaded when it lies beside the rest, so that one binary serves both kinds of machine.
fn prepare_device() -> Result<()> {
    native::load_accelerator()?;
    Ok(())
}

/// Two components of one kind with one name: no file could say which it means.
fn check_registry() -> Result<(), Failure> {
    if let Some((first, second)) = registry::duplicates().first() {
        return Err(Failure::Usage(format!(
            "two {} are named `{}`: one at {}, one at {}; give one of them a `name = \"…\"`",
            plural(first.kind),
            first.name,
            first.origin,
            second.origin
        )));
    }
    if let Some((component, field, why)) = registry::wrong_defaults().first() {
        return Err(Failure::Usage(format!(
            "the default of `{}` in `{}` at {} is one that no file could name: {why}; change the default or the range",
            field.name, component.name, component.origin
        )));
    }
    Ok(())
}

fn print_metrics(summary: &Summary) -> Result<()> {
    if summary.rank > 0 {
        return Ok(());
    }
    summary.metrics.iter().try_for_each(|(name, value)| out::line(format_args!("{name} = {value:.4}")))
}

/// Tells why it ended before its end, and gives the exit code; `after_signal` is what that means for the user.
fn exit_code(summary: &Summary, after_signal: &str) -> Result<ExitCode, Failure> {
    let at = format!("at epoch {}, iter {}", summary.epoch, summary.iter);
    match &summary.end {
        End::Finished => Ok(ExitCode::SUCCESS),
        End::Stopped(_) | End::Signal(_) if summary.rank > 0 => Ok(match &summary.end {
            End::Signal(signal) => ExitCode::from(signal.exit_code()),
            _ => ExitCode::SUCCESS,
        }),
        End::Stopped(stop) => {
            out::line(format_args!("stopped {at}: {stop}"))?;
            Ok(ExitCode::SUCCESS)
        }
        End::Signal(signal) => {
            match summary.began {
                true => out::error_line(format_args!("stopped by {signal} {at}{after_signal}")),
                false => out::error_line(format_args!("stopped by {signal} before anything was written")),
            }
            Ok(ExitCode::from(signal.exit_code()))
        }
    }
}
