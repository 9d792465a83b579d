//! What a run's log says of where it ran: enough to run it again there, or to see why another place gave other numbers.

use crate::base::Clock;
use crate::dist::Process;
use crate::trainer::{Build, Experiment};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tch::Device;

/// The report, one fact a line.
pub(super) fn report<T: Build>(
    experiment: &Experiment<T>,
    device: Device,
    folder: &Path,
    process: &Process,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: String| lines.push(format!("{name}: {value}"));
    fact("command line", command_line());
    fact("started in", std::env::current_dir().map_or_else(|_| "?".to_owned(), |path| path.display().to_string()));
    fact("folder", folder.display().to_string());
    fact("program", program());
    fact("git commit", git_commit().unwrap_or_else(|| "none: not started within a git repository".to_owned()));
    let (engine, libtorch, rustc) =
        (env!("CARGO_PKG_VERSION"), crate::native::libtorch_version(), env!("ENGINE_RUSTC_VERSION"));
    fact("versions", format!("engine {engine}, libtorch {libtorch}, {rustc}"));
    let clock = match T::CLOCK {
        Clock::Epoch => "by_epoch",
        Clock::Iter | Clock::Sample => "by_iter",
    };
    fact("trainer", format!("{} ({clock})", T::NAME));
    fact("device", device_text(device));
    fact("threads", format!("{} of {} cores", tch::get_num_threads(), cores()));
    fact("precision", format!("{:?}", experiment.train.precision));
    fact("deterministic", format!("{:?}", experiment.deterministic));
    if experiment.backend.flush_denormals {
        fact("denormals", "flushed to zero".to_owned());
    }
    fact("seed", experiment.seed.to_string());
    if let Process::Group(group) = process {
        let launched = group.launched();
        fact(
            "rank",
            format!("{} of {}, which meet at {}:{}", group.rank(), group.world(), launched.host, launched.port),
        );
    }
    fact("machine", machine());
    lines
}

/// As a shell would take it again.
fn command_line() -> String {
    let words = std::env::args_os().map(|word| quoted(&word.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./:,@%+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn program() -> String {
    std::env::current_exe().map_or_else(|_| "?".to_owned(), |path| path.display().to_string())
}

fn device_text(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(index) => {
            format!("cuda:{index} of {}, cudnn {}", tch::Cuda::device_count(), tch::Cuda::cudnn_is_available())
        }
        other => format!("{other:?}"),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, std::num::NonZero::get)
}

fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    let mut text = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    for part in [read("/proc/sys/kernel/osrelease"), read("/proc/sys/kernel/hostname")] {
        if !part.is_empty() {
            let _ = write!(text, ", {part}");
        }
    }
    text
}

/// The commit of the current folder, and whether files that git tracks were changed since.
fn git_commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"]).filter(|commit| !commit.is_empty())?;
    Some(match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changed) if changed.is_empty() => commit,
        Some(changed) => format!("{commit}, {} files changed since", changed.lines().count()),
        None => commit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_the_command_line_again() {
        assert_eq!(quoted("optimizer.lr=0.1"), "optimizer.lr=0.1");
        assert_eq!(quoted("metrics=[Accuracy()]"), "'metrics=[Accuracy()]'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
