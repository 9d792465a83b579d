//! The options of `sweep`.

use std::path::PathBuf;

/// `sweep`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SweepArgs {
    /// The sweep file: the base, the settings to vary, and how; or the folder of a sweep that has begun
    #[arg(value_name = "SWEEP")]
    pub(super) sweep: PathBuf,
    /// Go on with the sweep: trials that have ended stay, all others are continued or begun
    #[arg(long, conflicts_with_all = ["array", "table"])]
    pub(super) resume: bool,
    /// With `--resume`: trials that have failed are tried again, from their newest checkpoints
    #[arg(long, requires = "resume")]
    pub(super) retry_failed: bool,
    /// Run nothing; write the experiment of every trial, and print the command that trains it, one a line
    #[arg(long, conflicts_with = "table")]
    pub(super) array: bool,
    /// Run nothing; print the results so far
    #[arg(long)]
    pub(super) table: bool,
}

impl SweepArgs {
    /// Whether it runs trials: the others only write or print.
    pub(in crate::cli) fn is_run(&self) -> bool {
        !self.array && !self.table
    }
}
