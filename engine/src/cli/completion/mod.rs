//! `completions`: scripts that let a shell complete commands, options, and what stands behind `--set`.
//!
//! The scripts of clap know commands and options. What can be set depends on the trainer and on the experiment in the command
//! line, so the shell asks the program itself: `PROGRAM candidates WORD LINE…` prints one candidate a line.

mod candidates;
mod scripts;

use crate::base::Result;
use crate::cli::out;
use crate::trainer::Build;
use clap_complete::Shell;
use std::ffi::OsString;

/// Prints the script of a shell.
pub(super) fn print(shell: Shell, command: &mut clap::Command, program: &str) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, program, &mut script);
    let script = String::from_utf8_lossy(&script);
    out::text(scripts::with_settings(shell, &script, program))
}

/// Prints what completes a word of a command line.
pub(super) fn print_candidates<T: Build>(word: &str, line: &[OsString]) -> Result<()> {
    candidates::of::<T>(word, line).iter().try_for_each(out::line)
}
