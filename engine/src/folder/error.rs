//! Why a run's folder could not be had.

use crate::base::disk::DiskError;
use std::path::PathBuf;

/// Why a run's folder could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The name can't be that of a folder directly in `work_dir`.
    #[error("the run name `{name}` {why}; it names one folder, as `digits-2` does")]
    Name {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something else is in its place.
    #[error("`{}` is {found}, and the run needs a folder of this name; move it away, or choose another `name`", path.display())]
    NoFolder {
        /// Where the run's folder would be.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// There is a run already.
    #[error("`{}` already holds a run; continue it with `--resume`, move it aside with `--fresh`, or choose another `name`", .0.display())]
    Taken(PathBuf),
    /// There is no run to go on with.
    #[error("`{}` holds no run to resume; leave out `--resume`, or check `name` and `work_dir`", .0.display())]
    Nothing(PathBuf),
    /// Another process has it.
    #[error("`{}` is in use by {holder}; wait for it, stop it, or choose another `name`", path.display())]
    InUse {
        /// The run's folder.
        path: PathBuf,
        /// `process N`, or `another process` when it could not be told.
        holder: String,
    },
    /// It is no longer there.
    #[error("`{}` was moved or deleted while the run was writing to it, so nothing more is written; move it back and go on with `--resume`, or begin anew", .0.display())]
    Gone(PathBuf),
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
