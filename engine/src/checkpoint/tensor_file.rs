//! One `.safetensors` file, of which single tensors are read: those that are asked for, each on its own.

use super::CheckpointError;
use super::pickled::is_pickled;
use super::tensors::{WriteError, kind_of, read_header, write_with_notes};
use crate::base::disk::DiskContext;
use crate::base::plain;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// A file of named tensors whose header was read. It may come from any program; it has no hash to be verified by, and
/// what its header says is held against its length.
///
/// ```
/// use engine::checkpoint::TensorFile;
/// use engine::tch::Tensor;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("net.safetensors");
/// Tensor::write_safetensors(&[("weight", Tensor::from_slice(&[1.0f32, 2.0])), ("bias", Tensor::from(0.5))], &path)?;
/// let file = TensorFile::open(&path)?;
/// let names: Vec<&str> = file.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
/// assert_eq!(names, ["bias", "weight"]);
/// assert_eq!(Vec::<f32>::try_from(&file.read(&file.tensors()[1])?)?, [1.0, 2.0]);
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    tensors: Vec<TensorPlace>,
    notes: Vec<(String, String)>,
}

/// Writes named tensors and notes as a file that [`TensorFile`] and other programs read. Equal content gives equal bytes.
///
/// # Errors
/// When a name comes twice, no file can hold a tensor, or `out` fails.
pub fn write_tensors(out: &mut impl Write, tensors: &[(&str, &Tensor)], notes: &[(String, String)]) -> io::Result<()> {
    write_with_notes(out, tensors, notes).map_err(|error| match error {
        WriteError::Tensor { name, why } => io::Error::other(format!("the tensor `{name}` can't be saved: {why}")),
        WriteError::Io(error) => error,
    })
}

/// The note of a file of weights that tells of the preprocessors beside them.
pub(super) const PREPROCESSORS: &str = "preprocessors";

/// A tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorPlace {
    /// Its name.
    pub name: String,
    /// The length of each dimension.
    pub shape: Vec<i64>,
    /// The kind of its elements.
    pub kind: Kind,
    begin: u64,
    bytes: u64,
}

impl TensorFile {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is not a plain file of this format, or its header and length contradict each other.
    pub fn open(path: &Path) -> Result<TensorFile, CheckpointError> {
        let refused = |why: String| {
            let path = path.to_owned();
            match path.extension().is_some_and(|extension| extension == "safetensors") {
                true => CheckpointError::Damaged { path, why },
                false => CheckpointError::NoWeights { path, why },
            }
        };
        let length = match plain::check(path) {
            Err(error) if plain::is_refused(&error) => {
                return Err(CheckpointError::NoWeights { path: path.to_owned(), why: error.to_string() });
            }
            found => found.while_trying("read", path)?.len(),
        };
        if is_pickled(path) {
            return Err(CheckpointError::Pickled(path.to_owned()));
        }
        let open = File::open(path).while_trying("read", path)?;
        let header = read_header(open, length).while_trying("read", path)?.map_err(refused)?;
        let mut tensors = Vec::new();
        for name in header.metadata.offset_keys() {
            let Some(info) = header.metadata.info(&name) else { continue };
            let kind = kind_of(info.dtype)
                .ok_or_else(|| refused(format!("`{name}` has the kind {:?}, which libtorch lacks", info.dtype)))?;
            let shape = info.shape.iter().map(|&length| length as i64).collect();
            let (begin, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
            tensors.push(TensorPlace { name, shape, kind, begin: header.bytes + begin, bytes: end - begin });
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let notes = header.metadata.metadata().iter().flatten();
        let mut notes: Vec<_> = notes.map(|(key, text)| (key.clone(), text.clone())).collect();
        notes.sort();
        Ok(TensorFile { path: path.to_owned(), tensors, notes })
    }

    /// Its tensors, sorted by name.
    pub fn tensors(&self) -> &[TensorPlace] {
        &self.tensors
    }

    /// What its writer says of it, sorted by key.
    pub fn notes(&self) -> &[(String, String)] {
        &self.notes
    }

    /// Whether one of [`TensorFile::tensors`] is a weight, and does not belong to a preprocessor.
    pub(crate) fn is_weight(&self, place: &TensorPlace) -> bool {
        !(place.name.starts_with('/') && self.notes.iter().any(|(key, _)| key == PREPROCESSORS))
    }

    /// Reads one of [`TensorFile::tensors`], on the CPU.
    ///
    /// # Errors
    /// When the file can't be read, or has become shorter.
    pub fn read(&self, place: &TensorPlace) -> Result<Tensor, CheckpointError> {
        let read = || {
            let mut bytes = plain::room_for(place.bytes)?;
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(place.begin))?;
            match file.take(place.bytes).read_to_end(&mut bytes)? as u64 == place.bytes {
                true => Ok(bytes),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        };
        let bytes = read().while_trying("read", &self.path)?;
        Tensor::f_from_data_size(&bytes, &place.shape, place.kind).map_err(|error| {
            let why = format!("`{}`: {error}", place.name);
            CheckpointError::Damaged { path: self.path.clone(), why }
        })
    }
}
