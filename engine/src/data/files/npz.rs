//! Several arrays that NumPy has saved in one file.

use super::error::FileError;
use super::npy;
use crate::base::plain;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::BufReader;
use std::path::Path;
use tch::Tensor;
use zip::ZipArchive;

const FORMAT: &str = "NumPy arrays";

/// Reads the arrays that `numpy.savez` or `numpy.savez_compressed` has written, by their names. Their kinds are those of
/// [`read_npy`](super::read_npy).
///
/// ```no_run
/// use std::path::Path;
///
/// // in Python: numpy.savez("digits.npz", images=images, labels=labels)
/// let mut arrays = engine::data::files::read_npz(Path::new("digits.npz"))?;
/// let images = arrays.remove("images");
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When it can't be read, is not a zip archive of arrays, or an array is not as its header promises.
pub fn read_npz(path: &Path) -> Result<BTreeMap<String, Tensor>, FileError> {
    let file = plain::open(path, OpenOptions::new().read(true)).map_err(FileError::read(path))?;
    let refused = |what: String| FileError::content(path, FORMAT, what);
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| refused(error.to_string()))?;
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| refused(format!("entry {index}: {error}")))?;
        let name = entry.name().to_owned();
        let Some(array) = name.strip_suffix(".npy") else {
            return Err(refused(format!("its entry `{name}` is no array, whose name ends in `.npy`")));
        };
        let tensor = npy::parse(entry).map_err(|what| refused(format!("array `{array}`: {what}")))?;
        if arrays.insert(array.to_owned(), tensor).is_some() {
            return Err(refused(format!("it has two arrays `{array}`")));
        }
    }
    Ok(arrays)
}
