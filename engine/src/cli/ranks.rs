//! A command in several processes: this one starts them, and tells what went wrong in them.

use crate::base::{Error, ErrorContext as _, Result};
use crate::cli::failure::Failure;
use crate::cli::{out, time};
use crate::config::{Given, Kind, Node};
use crate::dist::{Launch, Launched, RankError, Ranks, write_error_file};
use std::process::ExitCode;

/// The value of `--ranks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RanksArg {
    Of(u32),
    /// One for each CUDA device.
    EachGpu,
}

impl std::str::FromStr for RanksArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("gpu", _) => Ok(RanksArg::EachGpu),
            (_, Ok(count @ 1..=65_536)) => Ok(RanksArg::Of(count)),
            _ => Err("a number from 1 to 65536, or `gpu` for one rank for each CUDA device".to_owned()),
        }
    }
}

impl RanksArg {
    /// How many they are. To be called when libtorch's CUDA part is loaded.
    pub(super) fn count(self) -> Result<u32, Failure> {
        match self {
            RanksArg::Of(count) => Ok(count),
            RanksArg::EachGpu => match u32::try_from(tch::Cuda::device_count()) {
                Ok(count @ 1..) => Ok(count),
                _ => Err(Failure::Usage(
                    "`--ranks gpu` starts a rank for each CUDA device, and there is none here; say how many, as in `--ranks 2`"
                        .to_owned(),
                )),
            },
        }
    }
}

/// `--ranks`, as a value over the file.
pub(super) fn given(ranks: Option<u32>) -> Option<Given> {
    let ranks = ranks?;
    let value = Node::new(Kind::Int(ranks.into()));
    Some(Given { option: "--ranks", text: ranks.to_string(), path: "dist.ranks".to_owned(), value })
}

/// Starts the ranks when there are to be several, and this process is none of them; how they have ended.
pub(super) fn launch(ranks: Option<usize>, restarts: u64) -> Result<Option<ExitCode>, Failure> {
    if Launched::of_environment().map_err(Error::new)?.is_some() {
        return Ok(None);
    }
    let ranks = match (ranks, restarts) {
        (Some(ranks @ 2..), _) => ranks,
        (_, 0) => return Ok(None),
        _ => return Err(Failure::Usage("`--restarts` starts several ranks again; use it with `--ranks N`".to_owned())),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if ranks > most_ranks(cores) {
        return Err(Failure::Usage(format!(
            "{ranks} ranks are too many for this machine, which has {cores} cores: start at most {}, or use a launcher such as `torchrun` on several machines; `plan EXP --ranks {ranks}` shows what they would do",
            most_ranks(cores)
        )));
    }
    let program = std::env::current_exe().context("this program can't be found, to be started for each rank")?;
    let arguments = std::env::args_os().skip(1).collect();
    let again = |errors: &[RankError], attempt| {
        tell(errors);
        out::error_line(format_args!(
            "the ranks are started again, from the newest checkpoint (restart {attempt} of at most {restarts})"
        ));
    };
    let variables = vec![time::since_now()];
    let Ranks { code, errors } = Launch { program, arguments, variables, ranks, restarts }.run(again)?;
    tell(&errors);
    Ok(Some(ExitCode::from(code)))
}

/// How many ranks are started at most: each is a process with libtorch in its memory. Tests and trials have more than cores.
fn most_ranks(cores: usize) -> usize {
    (8 * cores).max(16)
}

/// Prints the cause, and which ranks have ended because of it.
fn tell(errors: &[RankError]) {
    for error in errors.iter().filter(|error| !error.follows) {
        print(error);
    }
    let after: Vec<&RankError> = errors.iter().filter(|error| error.follows).collect();
    match (after.as_slice(), errors.len() == after.len()) {
        ([], _) => {}
        // nobody knows of a cause: all there is
        (after, true) => after.iter().for_each(|error| print(error)),
        ([one], false) => out::error_line(format_args!("rank {} ended after it", one.rank)),
        (after, false) => {
            let ranks: Vec<String> = after.iter().map(|error| error.rank.to_string()).collect();
            out::error_line(format_args!("ranks {} ended after it", ranks.join(", ")));
        }
    }
}

fn print(error: &RankError) {
    let mut texts = error.texts.iter();
    let first = texts.next().map_or("unknown error", String::as_str);
    match first.strip_prefix("error") {
        // a mistake in the experiment, with its place
        Some(_) => out::error_line(format_args!("rank {}: {first}", error.rank)),
        None => out::error_line(format_args!("error: rank {}: {first}", error.rank)),
    }
    texts.for_each(|cause| out::error_line(format_args!("  caused by: {cause}")));
}

/// Leaves the error of this process for its launcher; whether that prints it.
pub(super) fn leave(failure: &Failure, launched: bool) -> bool {
    let error = match failure {
        Failure::Experiment(errors) => &Error::msg(errors.render(false)),
        Failure::Usage(text) => &Error::msg(text.clone()),
        Failure::Run(error) => error,
    };
    write_error_file(error).is_ok() && launched
}
