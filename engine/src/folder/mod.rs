//! A run's folder, `work_dir/name/`: it is created, refused or moved aside, and locked against a second process.
//!
//! Promised: a folder with a run is never written to unless this was requested; an old run is moved and never deleted;
//! and as long as a [`RunFolder`] exists, no other process gets the same folder. A folder that was created for a run
//! that wrote nothing is removed again. The content of the files is decided by the code that writes them.

mod content;
mod error;
mod finished;
mod lock;
mod name;
mod plan;
mod run_folder;
mod series;

use std::path::Path;

pub use crate::base::disk::write_atomic;
pub(crate) use content::{CHECKPOINTS, EXPERIMENT, LOG, METRICS, PLAN, PREDICTIONS, owner};
pub use error::FolderError;
pub use finished::FinishedRun;
pub(crate) use lock::LOCK;
pub(crate) use name::check_name;
pub use plan::{PlannedCall, PlannedCalls, PlannedSettings, RunPlan};
pub use run_folder::{Mode, RunFolder};
pub(crate) use series::DATE;

/// The newest run in a folder whose name has this form: `{date}` in it is any date, and a number may stand behind it.
pub(crate) fn newest(work_dir: &Path, form: &str, has_numbers: bool) -> Option<String> {
    series::newest(work_dir, form, has_numbers, content::holds_run)
}
