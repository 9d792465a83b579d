//! Where an exported file goes, and that nothing lies there.

use crate::base::disk::DiskContext as _;
use crate::weights::error::WeightsError;
use std::path::{Path, PathBuf};

/// What stands for the beginning of the file's hash in its name.
const HASH: &str = "{hash}";

/// The path, with the hash of the content in its name where that is wanted.
pub(super) fn named(to: &Path, hash: &str) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    to.with_file_name(name.replace(HASH, &hash[..8]))
}

/// Refuses to write over a file, and into a checkpoint, which would be damaged.
pub(super) fn check_free(path: &Path, force: bool, is_card: bool) -> Result<(), WeightsError> {
    if path.with_file_name("manifest").is_file() {
        let why = "lies in a checkpoint, whose files are not to change; choose another folder".to_owned();
        return Err(WeightsError::Path { path: path.to_owned(), why });
    }
    let why = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error).while_trying("read", path)?,
        Ok(found) if force && found.is_file() => return Ok(()),
        Ok(_) if is_card => "is there already; `--force` replaces the card of this file, `--no-card` leaves it alone",
        Ok(_) => "is there already; `--force` replaces a file",
    };
    Err(WeightsError::Path { path: path.to_owned(), why: why.to_owned() })
}
