//! Arrays that NumPy has saved.

use super::bytes::{Numbers, next, read_tensor};
use super::error::FileError;
use crate::base::plain;
use std::fs::OpenOptions;
use std::io::{BufReader, Read};
use std::path::Path;
use tch::{Kind, Tensor};

pub(super) const FORMAT: &str = "a NumPy array";

/// The longest header that NumPy itself reads without being asked to.
const LONGEST_HEADER: usize = 10_000;

/// Reads an array that `numpy.save` has written, in the order of C or Fortran and with the bytes in either order.
///
/// `bool`, signed integers, `uint8` and floats of 16 to 64 bits keep their kind. `uint16` becomes `Int` and `uint32`
/// `Int64`, which libtorch can compute with. Structures, objects, complex numbers, texts and `uint64` are refused. The format
/// is defined in `numpy.lib.format`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("array.npy");
/// # let header = format!("{:<117}\n", "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }");
/// # let bytes = [b"\x93NUMPY\x01\x00\x76\x00".as_slice(), header.as_bytes(), &5i64.to_le_bytes(), &6i64.to_le_bytes()];
/// # std::fs::write(&path, bytes.concat())?;
/// // in Python: numpy.save("array.npy", numpy.array([5, 6]))
/// let array = engine::data::files::read_npy(&path)?;
/// assert_eq!(Vec::<i64>::try_from(&array)?, [5, 6]);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When it can't be read, is not such a file, or has more or fewer numbers than its header promises.
pub fn read_npy(path: &Path) -> Result<Tensor, FileError> {
    let file = plain::open(path, OpenOptions::new().read(true)).map_err(FileError::read(path))?;
    parse(BufReader::new(file)).map_err(|what| FileError::content(path, FORMAT, what))
}

/// Reads an array.
///
/// # Errors
/// A text.
pub(super) fn parse(mut reader: impl Read) -> Result<Tensor, String> {
    let magic: [u8; 6] = next(&mut reader, "its first 6 bytes")?;
    if magic != *b"\x93NUMPY" {
        return Err("it does not begin with `\\x93NUMPY`".into());
    }
    let [major, _] = next(&mut reader, "its version")?;
    let length = match major {
        1 => usize::from(u16::from_le_bytes(next(&mut reader, "the length of its header")?)),
        2 | 3 => u32::from_le_bytes(next(&mut reader, "the length of its header")?) as usize,
        _ => return Err(format!("it is of version {major}, expected 1 to 3")),
    };
    if length > LONGEST_HEADER {
        return Err(format!("its header has {length} bytes, at most {LONGEST_HEADER} were expected"));
    }
    let mut header = vec![0; length];
    reader.read_exact(&mut header).map_err(|error| format!("it ends within its header: {error}"))?;
    let header = Header::parse(&String::from_utf8_lossy(&header))?;
    let (numbers, widened) = header.numbers()?;
    let tensor = match header.fortran_order {
        false => read_tensor(reader, numbers, &header.shape)?,
        // the first dimension is the fastest one
        true => {
            let reversed: Vec<u64> = header.shape.iter().rev().copied().collect();
            let dimensions: Vec<i64> = (0..reversed.len() as i64).rev().collect();
            let tensor = read_tensor(reader, numbers, &reversed)?;
            let tensor = tensor.f_permute(&dimensions[..]).and_then(|tensor| tensor.f_contiguous());
            tensor.map_err(|error| error.to_string())?
        }
    };
    match widened {
        None => Ok(tensor),
        Some((kind, mask)) => {
            let wide = tensor.f_to_kind(kind).and_then(|tensor| tensor.f_bitwise_and(mask));
            wide.map_err(|error| error.to_string())
        }
    }
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
#[derive(Debug, PartialEq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

impl Header {
    fn parse(text: &str) -> Result<Header, String> {
        let descr = match after(text, "'descr':")? {
            rest if rest.starts_with('\'') => rest[1..].split('\'').next().unwrap_or_default().to_owned(),
            _ => return Err("it is an array of structures; save each field as an array of its own".into()),
        };
        let fortran_order = match after(text, "'fortran_order':")? {
            rest if rest.starts_with("False") => false,
            rest if rest.starts_with("True") => true,
            _ => return Err("`fortran_order` in its header is neither `True` nor `False`".into()),
        };
        let shape = after(text, "'shape':")?;
        let shape = shape.strip_prefix('(').and_then(|shape| shape.split_once(')')).map(|(shape, _)| shape);
        let sizes = shape.ok_or("`shape` in its header is not a tuple")?.split(',').map(str::trim);
        let sizes = sizes.filter(|size| !size.is_empty());
        let number = |size: &str| size.parse().map_err(|_| format!("`{size}` in the `shape` of its header is no size"));
        let shape: Vec<u64> = sizes.map(number).collect::<Result<_, String>>()?;
        // as many as NumPy itself allows
        match shape.len() > 64 {
            true => Err(format!("its array has {} dimensions, at most 64 were expected", shape.len())),
            false => Ok(Header { descr, fortran_order, shape }),
        }
    }

    /// The numbers in the file, and for unsigned ones the wider kind with the bits that belong to the number.
    fn numbers(&self) -> Result<(Numbers, Option<(Kind, i64)>), String> {
        let descr = self.descr.as_str();
        let (order, kind) = descr.split_at_checked(1).unwrap_or_default();
        let big_endian = order == ">";
        let (kind, widened) = match kind {
            "b1" => (Kind::Bool, None),
            "u1" => (Kind::Uint8, None),
            "i1" => (Kind::Int8, None),
            "i2" => (Kind::Int16, None),
            "i4" => (Kind::Int, None),
            "i8" => (Kind::Int64, None),
            "f2" => (Kind::Half, None),
            "f4" => (Kind::Float, None),
            "f8" => (Kind::Double, None),
            "u2" => (Kind::Int16, Some((Kind::Int, 0xffff))),
            "u4" => (Kind::Int, Some((Kind::Int64, 0xffff_ffff))),
            _ => {
                return Err(format!(
                    "its numbers are of type `{descr}`; save them as one of bool, int8 to int64, uint8 to uint32, float16 to float64"
                ));
            }
        };
        Ok((Numbers { kind, big_endian }, widened))
    }
}

/// What follows a key of the header.
fn after<'a>(text: &'a str, key: &str) -> Result<&'a str, String> {
    let (_, rest) = text.split_once(key).ok_or_else(|| format!("its header has no {key}"))?;
    Ok(rest.trim_start())
}
