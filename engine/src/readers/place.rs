//! Opening files of a run's folder that may hold anything.

use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens a plain file that lies in the folder itself.
///
/// # Errors
/// When it is missing, is a link, a pipe or anything else that is no plain file, or can't be read. This never waits: a pipe
/// is opened without its other end, and then refused.
pub(super) fn open(folder: &Path, name: &str) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags.bits().cast_signed()).open(folder.join(name))?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is not a regular file"))),
    }
}

/// Whether there is a folder of this name, and not only a link to one.
pub(super) fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_pipes_and_folders_are_refused_and_nothing_waits() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "text").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap().success());
        assert!(open(dir.path(), "file").is_ok());
        for name in ["link", "folder", "pipe", "missing"] {
            assert!(open(dir.path(), name).is_err(), "{name}");
        }
    }
}
