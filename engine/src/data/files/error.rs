//! Why a file of data can't be read.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file of data can't be read. Every error names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It is not there, not a regular file, or the disk fails.
    #[error("`{}` can't be read: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// Its content is not what it should be.
    #[error("`{}` can't be read as {format}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// What is wrong.
        what: String,
    },
}

impl FileError {
    pub(super) fn read(path: &Path) -> impl Fn(io::Error) -> FileError + '_ {
        |why| FileError::Read { path: path.to_owned(), why }
    }

    pub(super) fn content(path: &Path, format: &'static str, what: impl Into<String>) -> FileError {
        FileError::Content { path: path.to_owned(), format, what: what.into() }
    }
}
