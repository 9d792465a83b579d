//! Numbers of a file as a tensor.

use std::io::Read;
use tch::{Kind, Tensor};

/// The most bytes of numbers that are read from one file: 16 GiB. It stops a small file that unpacks without an end.
const MOST: u64 = 1 << 34;

/// A kind of numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    pub(super) kind: Kind,
    /// The most significant byte comes first.
    pub(super) big_endian: bool,
}

/// Reads exactly the numbers of a tensor of this shape, after which the file must end.
///
/// # Errors
/// A text, when there are too few bytes, too many, or too many for the memory.
pub(super) fn read_tensor(reader: impl Read, numbers: Numbers, shape: &[u64]) -> Result<Tensor, String> {
    let width = numbers.kind.elt_size_in_bytes() as u64;
    let bytes = shape.iter().try_fold(width, |bytes, size| bytes.checked_mul(*size));
    let Some(bytes) = bytes.filter(|bytes| *bytes <= MOST) else {
        return Err(format!("its header promises the shape {shape:?}, and at most {MOST} bytes are read from a file"));
    };
    let mut data = Vec::new();
    // grows with what there is, and not by what the header promises
    match reader.take(bytes + 1).read_to_end(&mut data) {
        Ok(_) if data.len() as u64 == bytes => {}
        Ok(_) if data.len() as u64 > bytes => {
            return Err(format!("its header promises the shape {shape:?}, {bytes} bytes, and more follow"));
        }
        Ok(_) => {
            let found = data.len();
            return Err(format!("its header promises the shape {shape:?}, {bytes} bytes, and {found} are there"));
        }
        Err(error) => return Err(format!("after {} of {bytes} bytes: {error}", data.len())),
    }
    if numbers.big_endian != cfg!(target_endian = "big") {
        data.chunks_exact_mut(width as usize).for_each(<[u8]>::reverse);
    }
    let shape: Vec<i64> = shape.iter().map(|size| i64::try_from(*size).unwrap_or(i64::MAX)).collect();
    if bytes == 0 {
        return Tensor::f_zeros(&shape[..], (numbers.kind, tch::Device::Cpu)).map_err(|error| error.to_string());
    }
    Tensor::f_from_data_size(&data, &shape, numbers.kind).map_err(|error| error.to_string())
}

/// The next bytes; a text when the file ends before them.
pub(super) fn next<const N: usize>(reader: &mut impl Read, what: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map_err(|error| format!("it ends within {what}: {error}"))?;
    Ok(bytes)
}
