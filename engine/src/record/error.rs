//! What can go wrong with a record.

use crate::base::disk::DiskError;

/// Why a number could not be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A tensor that is no number.
    #[error(
        "`{name}` was logged with a tensor of shape {shape:?}, expected one element; reduce it first, as with `mean`"
    )]
    NotOne {
        /// The name it was logged under.
        name: String,
        /// Its shape.
        shape: Vec<i64>,
    },
    /// libtorch failed to bring the numbers to the host.
    #[error("can't read the logged numbers from the device")]
    Device(#[from] tch::TchError),
    /// The name is a key that every row has.
    #[error("a number can't be logged as `{0}`, which every row has already; choose another name")]
    Reserved(String),
    /// The name comes twice in a row.
    #[error("`{0}` is twice in one row; log one of the two under another name")]
    Twice(String),
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
