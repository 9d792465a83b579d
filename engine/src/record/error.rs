//! What can go wrong with a record.

use crate::base::disk::DiskError;
use tch::Kind;

/// Why something could not be recorded.
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
    /// A tensor whose shape is not that of an image.
    #[error(
        "a tensor of shape {0:?} is no image; expected `[h, w]`, `[c, h, w]` or `[n, c, h, w]` with 1, 3 or 4 channels (`permute` moves channels to the front)"
    )]
    ImageShape(Vec<i64>),
    /// An image that is too large to be looked at.
    #[error("an image of {width} × {height} pixels is too large; at most {most} pixels are recorded")]
    ImageSize {
        /// Pixels in a row.
        width: i64,
        /// Rows.
        height: i64,
        /// The limit on their product.
        most: i64,
    },
    /// Elements that can't be colours.
    #[error("a tensor of {0:?} is no image; expected `Uint8` from 0 to 255, `Bool`, or floats from 0 to 1")]
    ImageKind(Kind),
    /// Elements that have no order.
    #[error("a tensor of {0:?} has no histogram; take its real or imaginary part, or its absolute value")]
    HistogramKind(Kind),
    /// libtorch failed to bring the values to the host.
    #[error("can't read what was logged from the device")]
    Device(#[from] tch::TchError),
    /// The name is a key that every row has.
    #[error("a number can't be logged as `{0}`, which every row has already; choose another name")]
    Reserved(String),
    /// The name is empty, or would break the line that it stands in.
    #[error("{0:?} is no name to record under; take letters, digits and `/`")]
    Name(String),
    /// The name comes twice in a row.
    #[error("`{0}` is twice in one row; log one of the two under another name")]
    Twice(String),
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
