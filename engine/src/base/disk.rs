//! File operations whose errors name the file or folder, and atomic writes.
//!
//! Everything that must survive a kill is written with [`write_atomic`] or, for more than one file, in a temporary
//! folder that is synced with [`sync_folder`] and renamed. Nothing here depends on the meaning of the bytes.

use super::plain::NotPlain;
use super::temporary::Temporary;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A failed operation on a file or folder. The source is the error of the operating system.
#[derive(Debug, thiserror::Error)]
#[error("can't {action} `{}`{}", path.display(), remedy(source))]
#[non_exhaustive]
pub struct DiskError {
    /// The operation, as a verb: `read`, `write`, `rename`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

/// Adds the operation and the path to an io result.
///
/// ```
/// use engine::base::disk::DiskContext as _;
/// use std::path::Path;
///
/// let path = Path::new("not/there.csv");
/// let error = std::fs::read(path).while_trying("read", path).unwrap_err();
/// assert_eq!(error.to_string(), "can't read `not/there.csv`");
/// ```
pub trait DiskContext<T> {
    /// The error becomes a [`DiskError`].
    fn while_trying(self, action: &'static str, path: &Path) -> Result<T, DiskError>;
}

impl<T> DiskContext<T> for io::Result<T> {
    fn while_trying(self, action: &'static str, path: &Path) -> Result<T, DiskError> {
        self.map_err(|source| DiskError { action, path: path.to_owned(), source })
    }
}

/// Writes a file so that a kill at any moment leaves the old content or the new one, never a part.
///
/// The bytes go to `.NAME.tmp-PID` beside it, which is synced and renamed; then the folder is synced. When a run is
/// resumed, temporary files of killed processes in its folder are deleted.
///
/// ```
/// use engine::base::disk::write_atomic;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("best.txt");
/// write_atomic(&path, b"0.97")?;
/// write_atomic(&path, b"0.98")?; // a reader sees the one or the other
/// assert_eq!(std::fs::read(&path)?, b"0.98");
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When an operation fails; then the old content is unchanged and the temporary file is removed.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_atomic_by(path, |file| file.write_all(bytes))
}

/// Like [`write_atomic`], for content that need not be in memory.
///
/// # Errors
/// Those of [`write_atomic`].
pub(crate) fn write_atomic_by(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), DiskError> {
    let written = Temporary::of(path).and_then(|mut file| {
        fill(&mut file)?;
        file.put_in_place()
    });
    written.while_trying("write", path)?;
    sync_folder(parent(path))
}

/// Creates a folder and its missing parents, so that they survive a power cut.
///
/// # Errors
/// When one of them can't be created.
pub(crate) fn make_folder(path: &Path) -> Result<(), DiskError> {
    let missing = missing_folders(path);
    std::fs::create_dir_all(path).while_trying("make", path)?;
    missing.iter().rev().try_for_each(|made| match sync_folder(parent(made)) {
        // who may write into a folder may not always read it
        Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    })
}

/// The folders that [`make_folder`] would create, the innermost first.
pub(crate) fn missing_folders(path: &Path) -> Vec<&Path> {
    let is_missing = |folder: &&Path| *folder != Path::new("") && folder.symlink_metadata().is_err();
    path.ancestors().take_while(is_missing).collect()
}

/// Makes renames and new files in a folder survive a power cut.
///
/// # Errors
/// When the folder can't be opened or synced.
pub fn sync_folder(path: &Path) -> Result<(), DiskError> {
    #[cfg(test)]
    tests::SYNCED.with_borrow_mut(|synced| synced.push(path.to_owned()));
    File::open(path).and_then(|folder| folder.sync_all()).while_trying("sync", path)
}

/// The folder of a path; `.` for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// What to do, for the failures that a person can mend.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull => ", the disk is full; free some space there",
        io::ErrorKind::QuotaExceeded => ", the quota there is used up; free some space, or choose another folder",
        io::ErrorKind::ReadOnlyFilesystem => ", the disk is read-only; choose another folder",
        io::ErrorKind::PermissionDenied => ", not permitted; check the owner and mode of the file and its folder",
        io::ErrorKind::FileTooLarge => ", the file is larger than the disk or the process's limit allows",
        _ if source.get_ref().is_some_and(|inner| inner.is::<NotPlain>()) => "; move what lies there out of the way",
        _ => "",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::RefCell;

    thread_local! {
        /// Every folder that was synced by this thread.
        pub(crate) static SYNCED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
    }

    #[test]
    fn the_folder_of_each_new_folder_is_synced() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        SYNCED.take();
        make_folder(&path("a/b/c")).unwrap();
        assert_eq!(SYNCED.take(), [path(""), path("a"), path("a/b")]);
        make_folder(&path("a/b/c")).unwrap();
        assert_eq!(SYNCED.take(), Vec::<PathBuf>::new());
    }

    #[test]
    fn an_atomic_write_replaces_the_content_and_leaves_no_temporary() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latest");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_names_the_path_and_keeps_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        let error = write_atomic(&path, b"bytes").unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_full_disk_is_told_what_to_do() {
        let error = Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull)).while_trying("write", Path::new("a/b"));
        assert_eq!(error.unwrap_err().to_string(), "can't write `a/b`, the disk is full; free some space there");
    }
}
