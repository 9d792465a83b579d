//! The lock of a run's folder: the file `lock` in it, locked by the operating system, so that a killed
//! process leaves nothing locked. The file itself stays; only its lock says that a run is alive.

use super::error::FolderError;
use crate::base::disk::DiskContext;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The file's name.
pub(super) const LOCK: &str = "lock";

/// Held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the folder and writes this process's id into the file.
    ///
    /// # Errors
    /// When another holder has it, also one in this process, or when a file operation fails.
    pub(super) fn take(folder: &Path) -> Result<Lock, FolderError> {
        let path = folder.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .while_trying("open", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FolderError::InUse { path: folder.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => Err(error).while_trying("lock", &path)?,
        }
        // the folder may have been moved aside between the opening and the locking of its file
        if !is_at(&file, &path) {
            return Err(FolderError::InUse { path: folder.to_owned(), holder: "another process".to_owned() });
        }
        file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).while_trying("write", &path)?;
        Ok(Lock { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut pid = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut pid));
    match pid.trim().parse::<u32>() {
        Ok(pid) if read.is_ok() => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}
