//! One size in a process of its own.

use crate::base::libtorch::is_out_of_memory;
use crate::base::{Error, ErrorContext as _, Result};
use crate::trainer::BatchProbe;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

/// What became of a size.
pub(super) enum Tried {
    Fits(BatchProbe),
    TooLarge,
    /// A signal has ended it; the exit code.
    Ended(u8),
}

/// What programs say that have no memory, besides libtorch: Rust's allocator, and C++ itself.
const OTHERS: [&str; 2] = ["memory allocation of ", "std::bad_alloc"];

/// The signal with which Linux ends a process where no memory is left.
const KILL: i32 = 9;

/// Starts this program again, with the same arguments and the size.
pub(super) fn try_size(size: u64) -> Result<Tried> {
    let program = std::env::current_exe().context("this program can't be found, to be started for a batch size")?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).arg("--probe").arg(size.to_string());
    let output = command.stdin(Stdio::null()).output().context("a process can't be started for a batch size")?;
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        let last = told.lines().last().unwrap_or_default();
        return Ok(Tried::Fits(serde_json::from_str(last).context("what a batch size has taken can't be read")?));
    }
    let without_memory = is_out_of_memory(&errors) || OTHERS.iter().any(|text| errors.contains(text));
    if without_memory || output.status.signal() == Some(KILL) {
        return Ok(Tried::TooLarge);
    }
    match output.status.code() {
        Some(code @ (130 | 143)) => Ok(Tried::Ended(u8::try_from(code).unwrap_or(1))),
        _ => Err(failed(size, &errors)),
    }
}

/// What the process has said, in the words in which it has said it.
fn failed(size: u64, errors: &str) -> Error {
    let said = errors.trim().strip_prefix("error: ").unwrap_or(errors.trim());
    let said = if said.is_empty() { "it has said nothing" } else { said };
    Error::msg(said.to_owned()).context(format!("a batch of {size} samples fails"))
}

/// Ends this process when the one that has started it ends.
pub(super) fn follow_parent() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // where it can't be set, a process that is left alone ends when its updates are made
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
}
