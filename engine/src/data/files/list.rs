//! Several files that are read one after the other.

use super::error::FileError;
use crate::base::error::{Error, Result};
use crate::base::plain;
use crate::data::stream::Round;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};

/// Where in a list of files a reader is: the number of files before this one in the order of the round, and the bytes before
/// the place in this one.
pub(super) type Place = (u64, u64);

/// An open file of a list.
pub(super) type Opened = BufReader<Take<File>>;

/// Files in a fixed order.
#[derive(Debug)]
pub(super) struct FileList {
    /// Each with its size when the list was made.
    files: Vec<(PathBuf, u64)>,
    /// Whether each round has an order of its own.
    shuffled: bool,
}

impl FileList {
    /// These files; a folder stands for all files in it whose names end so, in the order of their names.
    ///
    /// # Errors
    /// When there is none, or one of them is no file.
    pub(super) fn new(paths: &[PathBuf], ending: &str, shuffled: bool) -> Result<Self> {
        let mut files = Vec::new();
        let mut add = |path: PathBuf| -> Result<(), FileError> {
            let size = plain::check(&path).map_err(FileError::read(&path))?.len();
            files.push((path, size));
            Ok(())
        };
        for path in paths {
            match path.is_dir() {
                true => files_in(path, ending)?.into_iter().try_for_each(&mut add)?,
                false => add(path.clone())?,
            }
        }
        if files.is_empty() {
            return Err(Error::msg(format!(
                "there is no file: `paths` names files, or folders with files `*.{ending}`"
            )));
        }
        Ok(FileList { files, shuffled })
    }

    /// The files of a round in their order, by their numbers.
    pub(super) fn order(&self, round: &Round) -> Vec<usize> {
        match self.shuffled {
            true => round.shuffled(self.files.len()),
            false => (0..self.files.len()).collect(),
        }
    }

    /// The file of this number.
    pub(super) fn path(&self, number: usize) -> &Path {
        &self.files[number].0
    }

    /// The size of the file of this number, when the list was made.
    pub(super) fn size(&self, number: usize) -> u64 {
        self.files[number].1
    }

    /// The file of this number, from a byte on, up to the size that it had when the list was made: what is added to it
    /// meanwhile belongs to another order.
    ///
    /// # Errors
    /// When it can't be read, or has become shorter.
    pub(super) fn open(&self, number: usize, from: u64) -> Result<Opened, FileError> {
        let path = self.path(number);
        let refused = FileError::read(path);
        let mut file = plain::open(path, OpenOptions::new().read(true)).map_err(&refused)?;
        let length = file.metadata().map_err(&refused)?.len();
        if from > length {
            let what = format!("the place to go on from is behind {from} bytes, and it has {length}");
            return Err(FileError::content(path, "records", what));
        }
        file.seek(SeekFrom::Start(from)).map_err(&refused)?;
        Ok(BufReader::with_capacity(1 << 16, file.take(self.size(number).saturating_sub(from))))
    }

    /// Checks at the end of a file that all of it was read: the records behind the end of one that has become shorter would be
    /// missed without a word.
    ///
    /// # Errors
    /// When fewer bytes were read than it had.
    pub(super) fn check_end(&self, number: usize, format: &'static str, read: u64) -> Result<(), FileError> {
        let (path, size) = &self.files[number];
        match read < *size {
            true => {
                let what = format!("it had {size} bytes at the begin, and ends behind {read} now");
                Err(FileError::content(path, format, what))
            }
            false => Ok(()),
        }
    }

    /// The names and sizes of the files, in their order: what the order of the records depends on.
    pub(super) fn fingerprint(&self) -> String {
        let names = self
            .files
            .iter()
            .map(|(path, size)| format!("{} {size}\n", path.file_name().unwrap_or_default().to_string_lossy()));
        names.chain([format!("shuffled: {}", self.shuffled)]).collect()
    }
}

fn files_in(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, FileError> {
    let refused = FileError::read(folder);
    let entries = std::fs::read_dir(folder).map_err(&refused)?;
    let paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(&refused)?;
    let mut paths: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|of| of == ending)).collect();
    // the same on every machine
    paths.sort();
    Ok(paths)
}
