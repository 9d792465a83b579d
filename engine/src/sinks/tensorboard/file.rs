//! Event files: records with their lengths and checksums, in files whose names tell their order.
//!
//! A record is its length (8 bytes), the length's checksum, its bytes, and their checksum (4 bytes each), all little endian
//! (TensorFlow's `record_writer.cc`). Readers go through the files of a folder in the order of their names, and take a
//! torn last record for the end of its file.

use super::proto::{Event, What};
use crate::base::disk::{DiskContext, DiskError, make_folder, sync_folder};
use crate::base::plain;
use prost::Message as _;
use std::cmp::Ordering;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    out: BufWriter<File>,
    /// Bytes that were written or are waiting to be.
    length: u64,
}

/// Which process writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// A training: what it wrote after its last checkpoint is dropped when it is resumed.
    Training,
    /// A command that evaluates a checkpoint: its results stay.
    Evaluation,
}

/// The end of the names of files that a command for evaluation has written.
const EVALUATION: &str = ".evaluation";

impl EventFile {
    /// A new file, which readers come to after all that are in the folder.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn create(folder: &Path, writer: Writer) -> Result<EventFile, DiskError> {
        make_folder(folder)?;
        let last = names(folder)?.iter().filter_map(|name| time_in(name)).max();
        let mut seconds = (now() as u64).max(last.map_or(0, |last| last + 1));
        let end = if writer == Writer::Evaluation { EVALUATION } else { "" };
        let (path, file) = loop {
            // the form of the name is TensorFlow's; some readers take time and host out of it
            let name = format!("{START}{seconds:010}.{}.{}.0{end}", host(), std::process::id());
            let path = folder.join(name);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => seconds += 1,
                Err(error) => return Err(error).while_trying("make", &path)?,
            }
        };
        sync_folder(folder)?;
        let mut file = EventFile { path, out: BufWriter::new(file), length: 0 };
        file.write(0, What::FileVersion("brain.Event:2".to_owned()))?;
        Ok(file)
    }

    /// The file's name in its folder.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Where the last record ends, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn write(&mut self, step: u64, what: What) -> Result<(), DiskError> {
        let event = Event { wall_time: now(), step: i64::try_from(step).unwrap_or(i64::MAX), what: Some(what) };
        let record = framed(&event.encode_to_vec());
        self.out.write_all(&record).while_trying("write", &self.path)?;
        self.length += record.len() as u64;
        Ok(())
    }

    /// Hands everything to the operating system, so that readers see it.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn flush(&mut self) -> Result<(), DiskError> {
        self.out.flush().while_trying("write", &self.path)
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        self.flush()?;
        self.out.get_ref().sync_data().while_trying("sync", &self.path)
    }
}

/// Drops what a training has written after a checkpoint that knows this file and position, in this file and in those of
/// processes that went on from the same checkpoint. Results of evaluations stay. Gives back how many bytes of the file
/// there are up to the position.
///
/// Files of which nothing is left stay too, empty: a TensorBoard that is open and in the middle of such a file goes on to
/// the next one, and would never do so if it were gone.
///
/// # Errors
/// When a file can't be cut.
pub(super) fn cut(folder: &Path, file: &str, position: u64) -> Result<u64, DiskError> {
    let mut there = 0;
    for name in names(folder)? {
        let kept = match name.as_str().cmp(file) {
            Ordering::Less => continue,
            Ordering::Equal => position,
            Ordering::Greater if name.ends_with(EVALUATION) => continue,
            Ordering::Greater => 0,
        };
        let path = folder.join(&name);
        let open = plain::open(&path, OpenOptions::new().write(true)).while_trying("open", &path)?;
        let length = open.metadata().while_trying("read", &path)?.len();
        open.set_len(length.min(kept)).while_trying("cut", &path)?;
        if name == file {
            there = length.min(kept);
        }
    }
    Ok(there)
}

/// Moves a folder that holds event files to the first of `NAME.1`, `NAME.2`, … that is not there: they belong to another
/// run.
///
/// # Errors
/// When it can't be moved.
pub(super) fn move_aside(folder: &Path) -> Result<(), DiskError> {
    if names(folder)?.is_empty() {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut aside = (1u64..).map(|number| folder.with_file_name(format!("{name}.{number}")));
    let free = aside.find(|path| path.symlink_metadata().is_err()).unwrap_or_default();
    std::fs::rename(folder, free).while_trying("move aside", folder)
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a reader shows when a value was written, nothing is computed from it")]
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The begin of every name.
pub(crate) const START: &str = "events.out.tfevents.";

/// The event files of a folder, in the order in which they are read; none when there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, DiskError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.while_trying("read", folder)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.while_trying("read", folder)?.file_name().to_string_lossy().into_owned();
        if name.starts_with(START) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The time in a name.
fn time_in(name: &str) -> Option<u64> {
    name.strip_prefix(START)?.split('.').next()?.parse().ok()
}

fn host() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    if host.is_empty() { "localhost".to_owned() } else { host }
}

/// A record around its bytes.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), bytes, &masked(bytes)].concat()
}

/// The checksum of records: CRC-32C, turned and shifted so that a checksum of checksums is no fixed point.
pub(crate) fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The records of a file's bytes; a torn last one is left out.
    pub(in super::super) fn records(bytes: &[u8]) -> Vec<Event> {
        let (mut events, mut rest) = (Vec::new(), bytes);
        while rest.len() >= 12 {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8..12], masked(&rest[..8]));
            let Some(record) = rest.get(12..12 + length + 4) else { break };
            assert_eq!(record[length..], masked(&record[..length]));
            events.push(Event::decode(&record[..length]).unwrap());
            rest = &rest[12 + length + 4..];
        }
        events
    }

    #[test]
    fn a_record_is_that_of_tensorflow() {
        // by tensorboard's `RecordWriter`, of the event with the version alone
        let event = Event { wall_time: 0.0, step: 0, what: Some(What::FileVersion("brain.Event:2".to_owned())) };
        let hex: String = framed(&event.encode_to_vec()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, RECORD);
    }

    const RECORD: &str = "0f000000000000006d532b091a0d627261696e2e4576656e743a32fc985129";

    #[test]
    fn files_are_read_in_the_order_in_which_they_were_made_whatever_the_clock_says() {
        let dir = tempfile::tempdir().unwrap();
        let later = format!("{START}{:010}.elsewhere.1.0", now() as u64 + 1000);
        std::fs::write(dir.path().join(&later), "").unwrap();
        let first = EventFile::create(dir.path(), Writer::Training).unwrap().name();
        let second = EventFile::create(dir.path(), Writer::Evaluation).unwrap().name();
        assert_eq!(names(dir.path()).unwrap(), [later, first, second]);
    }

    #[test]
    fn a_cut_drops_what_followed_and_keeps_results() {
        let dir = tempfile::tempdir().unwrap();
        let value = |step| What::FileVersion(format!("{step}"));
        let mut file = EventFile::create(dir.path(), Writer::Training).unwrap();
        file.write(1, value(1)).unwrap();
        let (name, position) = (file.name(), file.length());
        file.write(2, value(2)).unwrap();
        file.sync().unwrap();
        let result = EventFile::create(dir.path(), Writer::Evaluation).unwrap().name();
        let later = EventFile::create(dir.path(), Writer::Training).unwrap().name();
        assert_eq!(cut(dir.path(), &name, position).unwrap(), position);
        let length = |name: &str| dir.path().join(name).metadata().unwrap().len();
        assert_eq!((length(&name), length(&later)), (position, 0));
        assert!(length(&result) > 0);
        let steps: Vec<i64> = records(&std::fs::read(dir.path().join(&name)).unwrap()).iter().map(|e| e.step).collect();
        assert_eq!(steps, [0, 1]);
    }
}
