//! What can go wrong with a record.

use crate::base::disk::DiskError;
use tch::Kind;

/// Why something could not be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A tensor that is not a number.
    #[error(
        "`{name}` was logged with a tensor of shape {shape:?}, expected one element; reduce it first, as with `mean`"
    )]
    NotOne {
        /// The name it was logged under.
        name: String,
        /// Its shape.
        shape: Vec<i64>,
    },
    /// A tensor without the shape of an image.
    #[error(
        "a tensor of shape {0:?} is not an image; expected `[h, w]`, `[c, h, w]` or `[n, c, h, w]` with 1, 3 or 4 channels (`permute` moves channels to the front)"
    )]
    ImageShape(Vec<i64>),
    /// An image with too many pixels.
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
    #[error("a tensor of {0:?} is not an image; expected `Uint8` from 0 to 255, `Bool`, or floats from 0 to 1")]
    ImageKind(Kind),
    /// Elements without an order: complex numbers.
    #[error("a tensor of {0:?} has no histogram; record its real part, its imaginary part or its absolute value")]
    HistogramKind(Kind),
    /// libtorch failed to copy the values to the host.
    #[error("the logged values can't be copied from the device")]
    Device(#[from] tch::TchError),
    /// The name is a key that every row has.
    #[error("`{0}` is a column of every row, so no number can be logged under this name; choose another")]
    Reserved(String),
    /// The name is empty, or would break the line that contains it.
    #[error("{0:?} is not a valid name for a recorded value; use letters, digits and `/`")]
    Name(String),
    /// The name comes twice in a row.
    #[error("`{0}` was logged twice in one row; log one of the two under another name")]
    Twice(String),
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
