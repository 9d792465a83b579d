//! A folder for temporary files that outlives no process.
//!
//! It holds a file that is locked as long as its process lives. What a killed process has left is removed by the next one: its
//! lock is free. Folders of other users, links, and folders without such a file stay.

use crate::base::disk::DiskContext as _;
use crate::base::temporary::is_at;
use crate::base::{Error, ErrorContext as _, Result};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What the names begin with; the id of the process and a number follow.
const NAME: &str = "engine-smoke-";
/// The file that is locked.
const ALIVE: &str = "alive";

/// A folder that only this process uses, removed when it is dropped.
pub(super) struct Scratch {
    path: PathBuf,
    /// Locked until it is dropped.
    _alive: File,
}

impl Scratch {
    /// Makes one in the system's folder for temporary files, and removes those of processes that are gone.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn make() -> Result<Scratch> {
        Scratch::make_in(&std::env::temp_dir())
    }

    fn make_in(folder: &Path) -> Result<Scratch> {
        let context = || format!("no folder can be made in `{}`; `TMPDIR` names another place", folder.display());
        for number in 0..1000 {
            let path = folder.join(format!("{NAME}{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error).with_context(context),
            }
            let alive = File::create_new(path.join(ALIVE)).while_trying("write", &path.join(ALIVE))?;
            // on a disk without locks nothing is cleaned either
            let _ = alive.try_lock();
            // or it was cleaned before it was locked
            if is_at(&alive, &path.join(ALIVE)) {
                let user = alive.metadata().while_trying("read", &path)?.uid();
                clean(folder, user);
                return Ok(Scratch { path, _alive: alive });
            }
        }
        Err(Error::msg("there are a thousand others of this process")).with_context(context)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what is left is removed by the next one
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes what processes of this user have left that are gone.
fn clean(folder: &Path, user: u32) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let named = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(NAME)));
    for path in named.map(|entry| entry.path()) {
        let is_ours = |path: &Path, is_kind: fn(&std::fs::Metadata) -> bool| {
            path.symlink_metadata().is_ok_and(|found| is_kind(&found) && found.uid() == user)
        };
        let alive = path.join(ALIVE);
        if is_ours(&path, std::fs::Metadata::is_dir)
            && is_ours(&alive, std::fs::Metadata::is_file)
            && File::open(&alive).is_ok_and(|file| file.try_lock().is_ok())
        {
            // best effort: the next one tries again
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_has_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            File::create(dir.path().join(name).join(ALIVE)).unwrap()
        };
        drop(make("engine-smoke-1-0"));
        drop(make("other-1-0"));
        let held = make("engine-smoke-2-0");
        held.lock().unwrap();
        std::fs::create_dir(dir.path().join("engine-smoke-3-0")).unwrap();
        std::os::unix::fs::symlink("other-1-0", dir.path().join("engine-smoke-4-0")).unwrap();
        let (first, second) = (Scratch::make_in(dir.path()).unwrap(), Scratch::make_in(dir.path()).unwrap());
        assert!(first.path().is_dir() && first.path() != second.path());
        drop((first, second));
        let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["engine-smoke-2-0", "engine-smoke-3-0", "engine-smoke-4-0", "other-1-0"]);
        let refused = Scratch::make_in(&dir.path().join("gone")).err().unwrap();
        assert!(format!("{refused:#}").contains("gone`; `TMPDIR` names another place: No such file"), "{refused:#}");
    }
}
