//! How the processes of a training find each other, what they compare, and how one that fails tells the others.

use crate::base::{Error, ErrorContext as _, Result};
use crate::dist::{DistError, Group, Hello, Launched, Process};
use crate::folder::Mode;
use crate::loops::Role;
use crate::run::{Signal, Signals};
use crate::trainer::run::Summary;
use crate::trainer::{Build, BuildErrors, Experiment};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Joins the processes that a launcher has started, for a training.
///
/// # Errors
/// When the experiment asks for another number of processes than there are, when one does not come, and when they run
/// different programs, experiments or commands.
pub(super) fn join<T: Build>(experiment: &Experiment<T>, signals: &Signals) -> Result<Process> {
    let wanted = experiment.dist.ranks;
    let launched = match (Launched::of_environment()?, wanted) {
        (None, None | Some(1)) => return Ok(Process::Alone),
        (None, Some(ranks)) => {
            let why = format!(
                "the training is to have {ranks} ranks, and this process is none of them: the command line starts them (`train EXP --ranks {ranks}`), or a launcher that sets `RANK` and `WORLD_SIZE`, such as `torchrun`"
            );
            return Err(BuildErrors::at("dist.ranks", why));
        }
        (Some(launched), wanted) => match wanted {
            Some(ranks) if ranks != launched.world => {
                let why = format!(
                    "the training is to have {ranks} ranks, and the launcher has started {} (`WORLD_SIZE`); leave `ranks` out to take as many as there are",
                    launched.world
                );
                return Err(BuildErrors::at("dist.ranks", why));
            }
            _ => launched,
        },
    };
    meet(experiment, launched, Hello::default().with("the command", "train"), signals)
}

/// Refuses a command that a process does alone, where a launcher has started several.
///
/// # Errors
/// When it has, and when the launcher's variables contradict each other.
pub(super) fn is_alone(command: &str) -> Result<()> {
    match Launched::of_environment()? {
        Some(launched) if launched.world > 1 => Err(Error::msg(format!(
            "`{command}` is the work of one process, and the launcher has started {}; start it without the launcher",
            launched.world
        ))),
        _ => Ok(()),
    }
}

/// Joins the processes that a launcher has started, for the evaluation of a checkpoint. There may be fewer or more of them
/// than in the training: the results are the same.
///
/// # Errors
/// When one does not come, and when they run different programs, experiments or commands.
pub(super) fn join_for<T: Build>(
    role: Role,
    experiment: &Experiment<T>,
    checkpoint: &Path,
    signals: &Signals,
) -> Result<Process> {
    let Some(launched) = Launched::of_environment()? else { return Ok(Process::Alone) };
    let hello = Hello::default().with("the command", role.name());
    meet(experiment, launched, hello.with("the checkpoint", checkpoint.display().to_string()), signals)
}

fn meet<T: Build>(experiment: &Experiment<T>, launched: Launched, hello: Hello, signals: &Signals) -> Result<Process> {
    if launched.world == 1 {
        return Ok(Process::Alone);
    }
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
    let hello = hello
        .with("the engine", env!("CARGO_PKG_VERSION"))
        .with("the trainer", T::NAME)
        .with("the hash of the experiment", digest(experiment.print()?.as_bytes()))
        .with("the hash of the program", program_hash());
    let told_to_end = || signals.received().map(Signal::number);
    Ok(Process::Group(Arc::new(Group::join(launched, &hello, &experiment.dist, &told_to_end)?)))
}

/// The end of a command that a signal has ended before the ranks had met; any other error as it is.
///
/// # Errors
/// The error itself.
pub(super) fn interrupted(error: Error, signals: &Signals) -> Result<Summary> {
    let signal = signals.received();
    let rank = Launched::of_environment().ok().flatten().map_or(0, |launched| launched.rank);
    match (error.downcast_ref::<DistError>(), signal) {
        // it came here or to another rank
        (Some(DistError::Interrupted { signal }), _) => {
            Ok(Summary::of_signal(Signal::of(*signal).unwrap_or(Signal::Terminate), rank))
        }
        // it came here too, while this process waited for one that is gone by now
        (Some(_), Some(signal)) => Ok(Summary::of_signal(signal, rank)),
        _ => Err(error),
    }
}

/// A hash of this program's file.
fn program_hash() -> String {
    let hashed = std::env::current_exe().and_then(|path| {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(path)?)?;
        Ok(hasher.finalize().to_hex()[..16].to_owned())
    });
    hashed.unwrap_or_else(|_| "unknown".to_owned())
}

/// What rank 0 has found in the folder of the run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ToldStart {
    pub(super) folder: PathBuf,
    pub(super) mode: Mode,
    /// The checkpoint that the training goes on from.
    pub(super) checkpoint: Option<PathBuf>,
}

/// What rank 0 tells of the start; `None` without a group.
///
/// # Errors
/// When a rank is gone.
pub(super) fn tell_start(process: &Process, own: impl FnOnce() -> Option<ToldStart>) -> Result<Option<ToldStart>> {
    let Process::Group(group) = process else { return Ok(None) };
    let told = group.from_main("the choice of the run's folder", || serde_json::to_vec(&own()).unwrap_or_default())?;
    serde_json::from_slice(&told).context("what rank 0 has told of the start can't be read")
}

/// Waits until all ranks are ready to begin.
///
/// # Errors
/// When one is gone.
pub(super) fn ready(process: &Process) -> Result<()> {
    process.group().map_or(Ok(()), |group| Ok(group.meet("the preparation of the training")?))
}

/// The end of this process: an error is told to the others.
pub(super) fn leave(process: &Process, error: Option<&Error>) {
    let Process::Group(group) = process else { return };
    match error {
        Some(error) => group.leave(error),
        // who serves the store ends last; a rank that has failed after all has said why
        None => drop(group.meet("the end of the run")),
    }
}
