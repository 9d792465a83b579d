//! Lines of text files.

use super::error::FileError;
use super::list::{FileList, Opened, Place};
use crate::base::error::{Error, Result};
use crate::data::stream::{RecordReader, RecordStream, Round};
use crate::random::SampleRng;
use engine_macros::component;
use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

const FORMAT: &str = "lines of text";

/// The lines of text files as a stream, one text each, of as many files and lines as there are. Lines without a character
/// other than spaces are passed over.
///
/// A line may be a document. With `length`, a sample is a part of so many characters, at a random place of its line; lines
/// that are shorter are given whole.
///
/// A model needs numbers: a stream of your own hands on to this one, and makes tokens of the text in `get`. docs/data.md has
/// an example.
#[derive(Debug)]
pub struct Lines {
    files: Arc<FileList>,
    length: Option<usize>,
    longest: usize,
}

/// The lines of text files: `Lines(paths: ["books.txt"], length: 512)`.
#[component(dataset)]
pub struct LinesConfig {
    /// The files, in this order; a folder stands for its files whose names end in `.txt`.
    #[config(exists)]
    pub paths: Vec<PathBuf>,
    /// Whether each round reads the files in an order of its own.
    #[config(default = false)]
    pub shuffle_files: bool,
    /// Of a longer line, a part of so many characters is given, at a random place.
    #[config(default, range = 1..)]
    pub length: Option<usize>,
    /// A line of more bytes is refused, so that a file without line ends takes no memory without an end.
    #[config(default = 16_777_216, range = 1..)]
    pub longest: usize,
}

/// A line as it stands in its file.
#[derive(Debug)]
pub struct Line {
    file: usize,
    offset: u64,
    bytes: Vec<u8>,
}

/// Reads the lines of text files in order.
#[derive(Debug)]
pub struct LineReader {
    files: Arc<FileList>,
    order: Vec<usize>,
    place: Place,
    open: Option<Opened>,
    longest: usize,
}

impl RecordReader for LineReader {
    type Record = Line;
    type Place = Place;

    fn next_record(&mut self) -> Result<Option<Line>> {
        loop {
            let Some(number) = self.order.get(self.place.0 as usize).copied() else { return Ok(None) };
            let open = match &mut self.open {
                Some(open) => open,
                None => self.open.insert(self.files.open(number, self.place.1)?),
            };
            let (mut bytes, offset) = (Vec::new(), self.place.1);
            let path = self.files.path(number);
            // one more, for the end of the line
            let most = (self.longest as u64).saturating_add(1);
            let read = open.take(most).read_until(b'\n', &mut bytes).map_err(FileError::read(path))?;
            if read == 0 {
                self.files.check_end(number, FORMAT, self.place.1)?;
                self.place = (self.place.0 + 1, 0);
                self.open = None;
                continue;
            }
            if read as u64 == most && bytes.last() != Some(&b'\n') {
                let what = format!("the line behind {offset} bytes is longer than {} bytes (`longest`)", self.longest);
                return Err(FileError::content(path, FORMAT, what).into());
            }
            self.place.1 += read as u64;
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Line { file: number, offset, bytes }));
            }
        }
    }

    fn place(&self) -> Place {
        self.place
    }
}

impl RecordStream for Lines {
    type Config = LinesConfig;
    type Reader = LineReader;
    type Item = String;

    fn open(config: &LinesConfig) -> Result<Self> {
        let LinesConfig { paths, shuffle_files, length, longest } = config;
        if *length == Some(0) || *longest == 0 {
            return Err(Error::msg("`length` and `longest` must be at least 1"));
        }
        Ok(Lines { files: FileList::new(paths, "txt", *shuffle_files)?.into(), length: *length, longest: *longest })
    }

    fn read(&self, round: &Round, from: &Place) -> Result<LineReader> {
        let files = self.files.clone();
        Ok(LineReader { order: files.order(round), files, place: *from, open: None, longest: self.longest })
    }

    fn get(&self, line: &Line, rng: &mut SampleRng) -> Result<String> {
        let text = std::str::from_utf8(&line.bytes).map_err(|error| {
            let what = format!("the line behind {} bytes is not UTF-8: {error}", line.offset);
            FileError::content(self.files.path(line.file), FORMAT, what)
        })?;
        let Some(length) = self.length else { return Ok(text.to_owned()) };
        let more = text.chars().count().saturating_sub(length);
        let begin = if more == 0 { 0 } else { rng.index(more + 1) };
        Ok(text.chars().skip(begin).take(length).collect())
    }

    fn fingerprint(&self) -> String {
        self.files.fingerprint()
    }
}
