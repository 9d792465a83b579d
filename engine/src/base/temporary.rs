//! Files that get their name once they are whole.
//!
//! A file `NAME` is written as `.NAME.tmp-PID` beside it, and renamed. While it is written it is locked, so that
//! [`clean`] can tell what a killed process has left from what another one is writing. A lock ends with its process,
//! whatever machine or container that runs in.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file while it is written; it is removed again unless it is put in its place.
#[derive(Debug)]
pub(crate) struct Temporary {
    file: File,
    path: PathBuf,
    target: PathBuf,
    placed: bool,
}

impl Temporary {
    /// An empty one for this file.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn of(target: &Path) -> io::Result<Temporary> {
        let mut number = 0u64;
        loop {
            let path = target.with_file_name(name_of(target, number));
            match File::create_new(&path) {
                Ok(file) => {
                    // on a disk without locks nothing is cleaned either
                    let _ = file.try_lock();
                    let made = Temporary { file, path, target: target.to_owned(), placed: false };
                    // or it was cleaned before it was locked
                    if is_at(&made.file, &made.path) {
                        return Ok(made);
                    }
                }
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                // of another thread, or of a killed process that had the same id
                Err(_) => {}
            }
            number += 1;
        }
    }

    /// Brings it to the disk and gives it its name. That the name survives a power cut is a matter of the folder.
    ///
    /// # Errors
    /// When that fails; it is then removed, and what had the name before still has it.
    pub(crate) fn put_in_place(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, &self.target)?;
        self.placed = true;
        Ok(())
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            // best effort: whatever ended it early is told by others
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Deletes the temporary files that no process writes any more, and gives their paths. `of` is the name of the file that they
/// were written for; `None`: of any file. A file that can't be read or deleted stays.
pub(crate) fn clean(folder: &Path, of: Option<&str>) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let left = entries.flatten().filter(|entry| {
        let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        plain && entry.file_name().to_str().is_some_and(|name| is_temporary(name, of))
    });
    let removed = left.map(|entry| entry.path()).filter(|path| {
        let free = OpenOptions::new().read(true).write(true).open(path).is_ok_and(|file| file.try_lock().is_ok());
        free && std::fs::remove_file(path).is_ok()
    });
    removed.collect()
}

/// Whether a path leads to this open file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

const MARK: &str = ".tmp-";

fn name_of(target: &Path, number: u64) -> OsString {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!("{MARK}{}", std::process::id()));
    if number > 0 {
        name.push(format!("-{number}"));
    }
    name
}

fn is_temporary(name: &str, of: Option<&str>) -> bool {
    let Some((file, process)) = name.strip_prefix('.').and_then(|name| name.rsplit_once(MARK)) else { return false };
    let numbers = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    numbers && !file.is_empty() && of.is_none_or(|of| of == file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_nobody_writes_any_more_is_cleaned_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in [".a.ron.tmp-1", ".a.ron.tmp-1-2", ".b.ron.tmp-1", ".a.ron.tmp-", ".a.ron.tmp-x", ".tmp-1", "a.ron"]
        {
            std::fs::write(path(name), "").unwrap();
        }
        let written = Temporary::of(&path("a.ron")).unwrap();
        assert_eq!(clean(dir.path(), Some("a.ron")).len(), 2);
        assert_eq!(clean(dir.path(), None), [path(".b.ron.tmp-1")]);
        assert_eq!(names(dir.path()).len(), 5, "{:?}", names(dir.path()));
        written.put_in_place().unwrap();
        assert_eq!(names(dir.path()), [".a.ron.tmp-", ".a.ron.tmp-x", ".tmp-1", "a.ron"]);
    }

    #[test]
    fn two_files_of_one_name_are_written_apart_and_one_of_an_older_process_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.ron");
        let left = dir.path().join(name_of(&target, 0));
        assert!(std::process::Command::new("mkfifo").arg(&left).status().unwrap().success());
        let (mut one, mut two) = (Temporary::of(&target).unwrap(), Temporary::of(&target).unwrap());
        one.write_all(b"one").unwrap();
        two.write_all(b"two").unwrap();
        two.put_in_place().unwrap();
        drop(one);
        assert_eq!(std::fs::read(&target).unwrap(), b"two");
        assert_eq!(names(dir.path()).len(), 2);
    }
}
