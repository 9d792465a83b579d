//! `report`: the page of runs as one file.

use crate::board::report;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::runs::found;
use crate::cli::target::Target;
use std::path::PathBuf;

/// Which runs, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// Runs' folders, or folders with runs in them
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The file to write; one that is there is replaced
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    to: PathBuf,
}

/// Writes it.
pub(super) fn write(args: ReportArgs) -> Result<(), Failure> {
    for folder in &args.runs {
        found(folder)?;
    }
    let target = Target::checked(&args.to, &[])?;
    let text = report(args.runs)?;
    target.write(text.as_bytes())?;
    Ok(out::line(format_args!("{} kB in {}", text.len().div_ceil(1000), args.to.display()))?)
}
