//! Files that are what they are taken for.
//!
//! In a file's place there may lie a pipe, a device, a socket or a folder. Opening a pipe waits for its other end, and a
//! device may never end. What is here looks first, and reads no more than its caller has expected.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// What lies in a file's place and is none.
#[derive(Debug, thiserror::Error)]
#[error("it is {0}, not a regular file")]
pub(crate) struct NotPlain(&'static str);

/// The metadata of a plain file, or of what a link leads to.
///
/// # Errors
/// When there is none, or something else is in its place ([`NotPlain`], of the kind `InvalidInput`).
pub(crate) fn check(path: &Path) -> io::Result<Metadata> {
    let found = std::fs::metadata(path)?;
    let kind = found.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(found),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, NotPlain(what)))
}

/// Opens a plain file; whether a missing one is made is said by the options.
///
/// # Errors
/// When something else is in its place, or it can't be opened.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    match check(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => options.open(path),
    }
}

/// The content of a plain file that has at most so many bytes.
///
/// # Errors
/// When something else is in its place, it is longer (of the kind `InvalidData`), or can't be read.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let found = check(path)?.len();
    if found > most {
        return Err(too_long(format!("it has {found} bytes, at most {most} were expected")));
    }
    let mut bytes = room_for(found)?;
    // it may grow meanwhile
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(too_long(format!("it has more than {most} bytes, which is the most that was expected"))),
        false => Ok(bytes),
    }
}

/// Room for so many bytes. A file may claim more than there is memory, which is an error and not the end of the process.
///
/// # Errors
/// When there is not so much memory.
pub(crate) fn room_for(count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let room = usize::try_from(count).is_ok_and(|count| bytes.try_reserve_exact(count).is_ok());
    room.then_some(bytes)
        .ok_or_else(|| io::Error::new(io::ErrorKind::OutOfMemory, format!("there is no memory for its {count} bytes")))
}

fn too_long(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Whether a file was refused for what it is, and not because the disk failed.
pub(crate) fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_no_memory_can_hold_is_an_error() {
        let error = room_for(1 << 62).unwrap_err();
        assert_eq!(error.to_string(), "there is no memory for its 4611686018427387904 bytes");
        assert!(room_for(u64::MAX).is_err() && room_for(8).unwrap().capacity() >= 8);
    }

    #[test]
    fn what_is_no_plain_file_is_named_and_never_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", path("device")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        let cases = [("pipe", "a pipe"), ("device", "a device"), ("socket", "a socket"), (".", "a folder")];
        for (name, what) in cases {
            let expected = format!("it is {what}, not a regular file");
            assert_eq!(read(&path(name), 10).unwrap_err().to_string(), expected);
            assert_eq!(open(&path(name), OpenOptions::new().append(true)).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_file_is_read_up_to_the_length_that_is_expected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(is_refused(&error), "{error}");
        assert_eq!(error.to_string(), "it has 5 bytes, at most 4 were expected");
    }
}
