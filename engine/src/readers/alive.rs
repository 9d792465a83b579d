//! Whether a process trains in a folder. The lock is not tried: who holds it for an instant refuses a training that begins
//! in that instant. Linux lists all locks.

use super::place;
use crate::folder::LOCK;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The locks of this machine at one moment.
#[derive(Debug, Default)]
pub struct Locks {
    /// The process, and the number of the file on its disk. `None`: they can't be read here.
    held: Option<Vec<(u32, u64)>>,
}

impl Locks {
    /// Reads them.
    pub fn read() -> Locks {
        Locks { held: std::fs::read_to_string("/proc/locks").ok().map(|text| listed(&text)) }
    }

    /// The process that trains in a run's folder. On a file system of several machines, a process of another one is not seen.
    pub fn holder(&self, folder: &Path) -> Option<u32> {
        let file = place::open(folder, LOCK).ok()?;
        let number = file.metadata().ok()?.ino();
        let mut text = String::new();
        file.take(64).read_to_string(&mut text).ok()?;
        let process: u32 = text.trim().parse().ok()?;
        match &self.held {
            // disks are numbered anew for each container, so the process is compared instead
            Some(held) => held.contains(&(process, number)),
            None => Path::new(&format!("/proc/{process}")).exists(),
        }
        .then_some(process)
    }
}

/// `1: FLOCK  ADVISORY  WRITE 14511 fe:00:10028230 0 EOF`; of a lock that is waited for, the number is followed by `->`.
fn listed(text: &str) -> Vec<(u32, u64)> {
    let lock = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["FLOCK", _, _, process, file, ..] = words.get(1..)? else { return None };
        Some((process.parse().ok()?, file.rsplit(':').next()?.parse().ok()?))
    };
    text.lines().filter_map(lock).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{Mode, RunFolder};

    #[test]
    fn a_folder_is_alive_as_long_as_it_is_locked_and_looking_does_not_lock_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(dir.path(), "run", Mode::New).unwrap();
        std::fs::write(folder.metrics(), "{}\n").unwrap();
        let path = folder.path().to_owned();
        assert_eq!(Locks::read().holder(&path), Some(std::process::id()));
        drop(folder);
        assert_eq!(Locks::read().holder(&path), None);
        // what a killed process leaves: its number in a file that nobody locks
        std::fs::write(path.join(LOCK), std::process::id().to_string()).unwrap();
        assert_eq!(Locks::read().holder(&path), None);
        assert_eq!(Locks::default().holder(&path), Some(std::process::id()));
    }

    #[test]
    fn a_lock_that_is_waited_for_and_other_kinds_are_not_taken_for_one() {
        let text = "1: FLOCK  ADVISORY  WRITE 12 fe:00:34 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 13 fe:00:34 0 EOF\n2: POSIX  ADVISORY  WRITE 14 fe:00:56 0 EOF\n";
        assert_eq!(listed(text), [(12, 34)]);
    }
}
