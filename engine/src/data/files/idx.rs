//! The format of MNIST and Fashion-MNIST.

use super::bytes::{Numbers, next, read_tensor};
use super::error::FileError;
use crate::base::plain;
use flate2::read::GzDecoder;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use tch::{Kind, Tensor};

const FORMAT: &str = "IDX";

/// Reads an IDX file, packed by gzip or not: MNIST's `train-images-idx3-ubyte.gz` becomes `[60000, 28, 28]` of kind `Uint8`.
///
/// The format is defined at the end of <http://yann.lecun.com/exdb/mnist/>.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("labels-idx1-ubyte");
/// std::fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1])?; // bytes, one dimension of 3
/// let labels = engine::data::files::read_idx(&path)?;
/// assert_eq!(Vec::<u8>::try_from(&labels)?, [7, 2, 1]);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When it can't be read, is not an IDX file, or has more or fewer numbers than its header promises.
pub fn read_idx(path: &Path) -> Result<Tensor, FileError> {
    let file = plain::open(path, OpenOptions::new().read(true)).map_err(FileError::read(path))?;
    let mut file = BufReader::new(file);
    let packed = file.fill_buf().map_err(FileError::read(path))?.starts_with(&[0x1f, 0x8b]);
    let read = if packed { parse(GzDecoder::new(file)) } else { parse(file) };
    read.map_err(|what| FileError::content(path, FORMAT, what))
}

fn parse(mut reader: impl Read) -> Result<Tensor, String> {
    let [zero, zero_too, code, dimensions] = next(&mut reader, "its first 4 bytes")?;
    if [zero, zero_too] != [0, 0] {
        return Err("it does not begin with two bytes 0".into());
    }
    let kind = match code {
        0x08 => Kind::Uint8,
        0x09 => Kind::Int8,
        0x0b => Kind::Int16,
        0x0c => Kind::Int,
        0x0d => Kind::Float,
        0x0e => Kind::Double,
        _ => return Err(format!("its kind of numbers is {code:#04x}, expected one of 0x08, 0x09, 0x0b to 0x0e")),
    };
    let mut shape = Vec::new();
    for dimension in 0..dimensions {
        let what = format!("the size of dimension {dimension} of {dimensions}");
        shape.push(u64::from(u32::from_be_bytes(next(&mut reader, &what)?)));
    }
    read_tensor(reader, Numbers { kind, big_endian: true }, &shape)
}
