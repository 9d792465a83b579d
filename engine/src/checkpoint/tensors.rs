//! Named tensors as the bytes of a safetensors file, and back.
//!
//! Tensors are copied from their device one at a time, and from the host a slice at a time, so that writing needs no second
//! model in memory, and what is hashed and written was copied into the processor's cache just before.
//! Layout: <https://github.com/huggingface/safetensors>; larger elements first, then by name, as its own
//! writer does, which keeps every tensor aligned.

use crate::native::{copy_bytes, storage_id};
use safetensors::tensor::{Dtype, Metadata, SafeTensorError, SafeTensors, TensorInfo};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use tch::{Device, Kind, TchError, Tensor};

/// Why tensors could not be written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// This tensor can't be held by such a file.
    Tensor { name: String, why: String },
    /// The file could not be written.
    Io(io::Error),
}

/// Writes the tensors, from any device, of any strides.
///
/// # Errors
/// When a name comes twice or is reserved, a tensor has a kind or layout that the format lacks, libtorch fails to
/// copy it, or `out` fails.
pub(super) fn write(out: &mut impl Write, tensors: &[(&str, &Tensor)]) -> Result<(), WriteError> {
    write_with_notes(out, tensors, &[])
}

/// As [`write`], with notes of the writer in the header.
///
/// # Errors
/// Those of [`write`].
pub(super) fn write_with_notes(
    out: &mut impl Write,
    tensors: &[(&str, &Tensor)],
    notes: &[(String, String)],
) -> Result<(), WriteError> {
    let mut entries = tensors.iter().map(|(name, tensor)| entry(name, tensor)).collect::<Result<Vec<_>, _>>()?;
    entries.sort_by(|a, b| b.dtype.cmp(&a.dtype).then(a.name.cmp(b.name)));
    let mut end = 0;
    let infos = entries.iter().map(|entry| {
        let begin = end;
        end += entry.bytes;
        let info = TensorInfo { dtype: entry.dtype, shape: entry.shape.clone(), data_offsets: (begin, end) };
        (entry.name.to_owned(), info)
    });
    let header = header(infos.collect(), notes).map_err(WriteError::Io)?;
    out.write_all(&(header.len() as u64).to_le_bytes())
        .and_then(|()| out.write_all(&header))
        .map_err(WriteError::Io)?;
    let mut slice = Vec::new();
    entries.iter().try_for_each(|entry| entry.write(out, &mut slice))
}

/// The tensors in the bytes of a safetensors file, on the CPU, sorted by name.
///
/// # Errors
/// When the bytes are no such file, or hold a kind that tch lacks.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, Tensor)>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let mut tensors = Vec::with_capacity(file.len());
    for (name, view) in file.iter() {
        let kind = kind_of(view.dtype()).ok_or_else(|| format!("`{name}` has the unknown kind {:?}", view.dtype()))?;
        let shape: Vec<i64> = view.shape().iter().map(|&length| length as i64).collect();
        let tensor =
            Tensor::f_from_data_size(view.data(), &shape, kind).map_err(|error| format!("`{name}`: {error}"))?;
        tensors.push((name.to_owned(), tensor));
    }
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(tensors)
}

/// The header of a file.
pub(super) struct Header {
    pub(super) metadata: Metadata,
    /// How many bytes lie before the first tensor.
    pub(super) bytes: u64,
}

/// The header of a file of so many bytes, all of which it accounts for. A file that is not what it seems need not be read
/// for it, whatever its length.
///
/// # Errors
/// When it can't be read; within, what is wrong with it.
pub(super) fn read_header(mut file: impl Read, length: u64) -> io::Result<Result<Header, String>> {
    let mut first = [0; 8];
    match file.read_exact(&mut first) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Err("it has no header".to_owned())),
        read => read?,
    }
    let size = u64::from_le_bytes(first);
    if size == 0 || size > LONGEST_HEADER || size > length.saturating_sub(8) {
        return Ok(Err("it has no header".to_owned()));
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header)?;
    let metadata: Metadata = match serde_json::from_slice(&header) {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Err(format!("its header is none: {error}"))),
    };
    let bytes = 8 + size;
    let told = (metadata.data_len() as u64).saturating_add(bytes);
    Ok(match told == length {
        true => Ok(Header { metadata, bytes }),
        false => Err(format!("it has {length} bytes, and {told} by its header")),
    })
}

/// The format's own limit.
const LONGEST_HEADER: u64 = 100_000_000;

/// Whether a file can hold a tensor of this name.
///
/// # Errors
/// Why not.
pub(super) fn check(name: &str, tensor: &Tensor) -> Result<(), String> {
    match entry(name, tensor) {
        Err(WriteError::Tensor { why, .. }) => Err(why),
        _ => Ok(()),
    }
}

/// One tensor on its way into a file.
struct Entry<'a> {
    name: &'a str,
    tensor: &'a Tensor,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: usize,
}

impl Entry<'_> {
    /// Writes the elements in row-major order, little-endian as every machine that libtorch runs on; `slice` is memory that
    /// is used again and again.
    fn write(&self, out: &mut impl Write, slice: &mut Vec<u8>) -> Result<(), WriteError> {
        if self.bytes == 0 {
            return Ok(());
        }
        let failed = |error: TchError| refused(self.name, error.to_string());
        let elements = self.elements().map_err(failed)?;
        let (count, size) = (self.tensor.numel(), self.bytes / self.tensor.numel());
        for begin in (0..count).step_by(SLICE / size) {
            let length = (SLICE / size).min(count - begin);
            slice.resize(length * size, 0);
            if !copy_bytes(slice, &elements, begin * size) {
                let part = elements.f_narrow(0, begin as i64, length as i64).map_err(failed)?;
                part.f_copy_data_u8(slice, length).map_err(failed)?;
            }
            out.write_all(slice).map_err(WriteError::Io)?;
        }
        Ok(())
    }

    /// The elements on the host, in a row.
    fn elements(&self) -> Result<Tensor, TchError> {
        // a negated or conjugated view holds the bits of its base until it is resolved
        let own = self.tensor.f_detach()?.f_resolve_neg()?.f_resolve_conj()?;
        own.f_to_device(Device::Cpu)?.f_reshape([-1])
    }
}

/// Bytes that are copied, hashed and written at once: they fit into the caches of a processor.
const SLICE: usize = 256 << 10;

fn entry<'a>(name: &'a str, tensor: &'a Tensor) -> Result<Entry<'a>, WriteError> {
    // the key under which the format keeps notes
    if name == "__metadata__" {
        return Err(refused(name, "the name is reserved by the format; choose another".to_owned()));
    }
    if !tensor.defined() {
        return Err(refused(name, "it is undefined; save an `Option<Tensor>` instead".to_owned()));
    }
    if storage_id(tensor).is_none() {
        return Err(refused(name, "it is sparse or laid out for oneDNN; save it dense".to_owned()));
    }
    let kind = tensor.f_kind().map_err(|error| refused(name, error.to_string()))?;
    let dtype = dtype_of(kind).ok_or_else(|| refused(name, format!("the format has no kind {kind:?}; convert it")))?;
    let shape: Vec<usize> = tensor.size().iter().map(|&length| length as usize).collect();
    let bytes = tensor.numel() * kind.elt_size_in_bytes();
    Ok(Entry { name, tensor, dtype, shape, bytes })
}

/// The header as JSON, padded with spaces so that the data begin at a multiple of eight.
fn header(infos: Vec<(String, TensorInfo)>, notes: &[(String, String)]) -> io::Result<Vec<u8>> {
    let metadata = Metadata::new(None, infos).map_err(|error: SafeTensorError| io::Error::other(error.to_string()))?;
    let mut header = serde_json::to_vec(&metadata)?;
    if !notes.is_empty() {
        // the format's own type for them has no order, and equal files are to have equal bytes
        let notes: BTreeMap<&str, &str> = notes.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        let comma = if header.len() > "{}".len() { "," } else { "" };
        let notes = format!("{{\"__metadata__\":{}{comma}", serde_json::to_string(&notes)?);
        header.splice(..1, notes.into_bytes());
    }
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

fn refused(name: &str, why: String) -> WriteError {
    WriteError::Tensor { name: name.to_owned(), why }
}

const KINDS: [(Kind, Dtype); 13] = [
    (Kind::Bool, Dtype::BOOL),
    (Kind::Uint8, Dtype::U8),
    (Kind::Int8, Dtype::I8),
    (Kind::Int16, Dtype::I16),
    (Kind::Int, Dtype::I32),
    (Kind::Int64, Dtype::I64),
    (Kind::Half, Dtype::F16),
    (Kind::BFloat16, Dtype::BF16),
    (Kind::Float, Dtype::F32),
    (Kind::Double, Dtype::F64),
    (Kind::ComplexFloat, Dtype::C64),
    (Kind::Float8e5m2, Dtype::F8_E5M2),
    (Kind::Float8e4m3fn, Dtype::F8_E4M3),
];

fn dtype_of(kind: Kind) -> Option<Dtype> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, dtype)| *dtype)
}

pub(super) fn kind_of(dtype: Dtype) -> Option<Kind> {
    KINDS.iter().find(|(_, known)| *known == dtype).map(|(kind, _)| *kind)
}
