//! The lock of a run's folder: the file `lock` in it, locked by the operating system, so that a killed
//! process leaves nothing locked. The file itself stays; only its lock says that a run is alive.

use super::error::FolderError;
use crate::base::disk::DiskContext;
use crate::base::plain;
use crate::base::temporary::is_at;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// The file's name.
pub(crate) const LOCK: &str = "lock";
/// The most bytes of it that are kept.
const LONGEST: u64 = 64;

/// Held until dropped. What the file held before is in it again then, so that a command that was refused leaves every
/// file of the folder as it was.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    before: Vec<u8>,
}

impl Lock {
    /// Locks the folder and writes this process's id into the file.
    ///
    /// # Errors
    /// When another holder has it, also one in this process, or when a file operation fails.
    pub(super) fn take(folder: &Path) -> Result<Lock, FolderError> {
        let path = folder.join(LOCK);
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false);
        let mut file = plain::open(&path, &open).while_trying("open", &path)?;
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
        // a process id takes a few bytes; whatever else is in the file need not stay
        let mut before = Vec::new();
        (&file).take(LONGEST).read_to_end(&mut before).while_trying("read", &path)?;
        rewrite(&mut file, std::process::id().to_string().as_bytes()).while_trying("write", &path)?;
        Ok(Lock { file, before })
    }
}

impl Lock {
    /// Who has the folder now, where the file was deleted and another process has made and locked one of its own.
    pub(super) fn successor(&self, folder: &Path) -> Option<String> {
        let path = folder.join(LOCK);
        let mut there = plain::open(&path, OpenOptions::new().read(true)).ok()?;
        (!is_at(&self.file, &path)).then(|| holder(&mut there))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // best effort: who reads the file asks first whether it is locked
        let _ = rewrite(&mut self.file, &self.before);
    }
}

fn rewrite(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(content)
}

fn holder(file: &mut File) -> String {
    let mut pid = String::new();
    let read = file.rewind().and_then(|()| file.take(LONGEST).read_to_string(&mut pid));
    match pid.trim().parse::<u32>() {
        Ok(pid) if read.is_ok() => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}
