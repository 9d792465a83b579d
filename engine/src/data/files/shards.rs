//! Samples in tar archives, by the naming of WebDataset.

use super::error::FileError;
use super::list::{FileList, Opened, Place};
use crate::base::error::Result;
use crate::data::stream::{RecordReader, Round};
use engine_macros::component;
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Read};
use std::path::PathBuf;
use std::sync::Arc;

const FORMAT: &str = "a tar archive";

/// Bytes of a block of an archive.
const BLOCK: u64 = 512;

/// Archives in the format of WebDataset: the files of a sample follow each other and have one name up to the first point,
/// the key: `dog/017.jpg`, `dog/017.cls`. What is behind the point is the name of the file in its sample.
///
/// A stream of your own holds it, and hands `read` and `fingerprint` on; docs/data.md has an example. Archives are not packed:
/// pictures are already.
#[derive(Debug)]
pub struct Shards {
    files: Arc<FileList>,
    largest: u64,
}

/// Archives of samples: `(paths: ["train"])`.
#[component]
pub struct ShardsConfig {
    /// The archives, in this order; a folder stands for its files whose names end in `.tar`.
    #[config(exists)]
    pub paths: Vec<PathBuf>,
    /// Whether each round reads the archives in an order of its own.
    #[config(default = true)]
    pub shuffle_files: bool,
    /// A sample of more bytes is refused, so that a damaged archive takes no memory without an end.
    #[config(default = 1_073_741_824, range = 1..)]
    pub largest: u64,
}

impl Shards {
    /// Looks for the archives.
    ///
    /// # Errors
    /// When there is none, or one of them is no file.
    pub fn open(config: &ShardsConfig) -> Result<Self> {
        let files = FileList::new(&config.paths, "tar", config.shuffle_files)?;
        Ok(Shards { files: files.into(), largest: config.largest })
    }

    /// Begins to read: [`RecordStream::read`](crate::data::RecordStream::read) of a stream that holds these archives.
    ///
    /// # Errors
    /// None now; when an archive can't be read, the first record tells.
    pub fn read(&self, round: &Round, from: &Place) -> Result<ShardReader> {
        let files = self.files.clone();
        Ok(ShardReader {
            order: files.order(round),
            files,
            place: *from,
            open: None,
            next: None,
            largest: self.largest,
        })
    }

    /// The names and sizes of the archives.
    pub fn fingerprint(&self) -> String {
        self.files.fingerprint()
    }
}

/// The files of a sample.
#[derive(Debug)]
pub struct ShardSample {
    archive: PathBuf,
    key: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl ShardSample {
    /// What its files have in common: their path in the archive up to the first point of the name.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The names of its files: what is behind the first point, `jpg`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The content of a file by its name; `None` when the sample has none of this name.
    pub fn find(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The content of a file by its name.
    ///
    /// # Errors
    /// When the sample has none of this name.
    pub fn file(&self, name: &str) -> Result<&[u8]> {
        self.find(name).ok_or_else(|| {
            let known = self.names().collect::<Vec<_>>().join("`, `");
            self.refused(format!("it has no file `{name}`, it has `{known}`")).into()
        })
    }

    /// The whole number in a file, such as the class in `cls`.
    ///
    /// # Errors
    /// When there is no such file, or it has something else.
    pub fn number(&self, name: &str) -> Result<i64> {
        let text = String::from_utf8_lossy(self.file(name)?);
        let shown: String = text.trim().chars().take(40).collect();
        text.trim()
            .parse()
            .map_err(|_| self.refused(format!("its file `{name}` has `{shown}`, expected a whole number")).into())
    }

    /// The text in a file.
    ///
    /// # Errors
    /// When there is no such file, or it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<&str> {
        std::str::from_utf8(self.file(name)?)
            .map_err(|error| self.refused(format!("its file `{name}` is not UTF-8: {error}")).into())
    }

    fn refused(&self, what: String) -> FileError {
        FileError::content(&self.archive, FORMAT, format!("sample `{}`: {what}", self.key))
    }
}

/// A file in an archive.
#[derive(Debug)]
struct Member {
    key: String,
    name: String,
    content: Vec<u8>,
    /// Bytes of the archive before its header.
    begin: u64,
}

/// Reads the samples of archives in order.
#[derive(Debug)]
pub struct ShardReader {
    files: Arc<FileList>,
    order: Vec<usize>,
    /// Behind what was read of the archives.
    place: Place,
    open: Option<Opened>,
    /// The first file of the next sample: only with it does one know that the sample before it is complete.
    next: Option<Member>,
    largest: u64,
}

impl ShardReader {
    /// The next file of this archive; `None` at its end.
    fn member(&mut self, number: usize) -> Result<Option<Member>> {
        let path = self.files.path(number);
        let refused = |what: String| FileError::content(path, FORMAT, what);
        loop {
            let (begin, largest) = (self.place.1, self.largest);
            let open = match &mut self.open {
                Some(open) => open,
                None => self.open.insert(self.files.open(number, begin)?),
            };
            let failed = |error: io::Error| refused(format!("behind {begin} bytes: {error}"));
            if let Some(packed) = packed(open.fill_buf().map_err(failed)?).filter(|_| begin == 0) {
                return Err(refused(format!("it is packed with {packed}; unpack it first")).into());
            }
            // an archive for each of its files, beginning there: a reader that goes on in the middle does the same
            let mut archive = tar::Archive::new(&mut *open);
            let Some(entry) = archive.entries().map_err(failed)?.next() else {
                let is_cut = begin >= self.files.size(number);
                check_end(open, is_cut).map_err(|what| refused(what.to_owned()))?;
                return Ok(None);
            };
            let mut entry = entry.map_err(failed)?;
            let (size, behind_header) = (entry.size(), entry.raw_file_position());
            let is_file = entry.header().entry_type().is_file();
            let path_in = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if is_file && size > largest {
                return Err(refused(format!("`{path_in}` has {size} bytes, more than `largest`: {largest}")).into());
            }
            let mut content = Vec::new();
            let read = match is_file {
                true => entry.read_to_end(&mut content).map_err(failed)? as u64,
                false => io::copy(&mut entry, &mut io::sink()).map_err(failed)?,
            };
            if read != size {
                return Err(refused(format!("it ends within `{path_in}`: {read} of {size} bytes are there")).into());
            }
            drop(entry);
            let padding = size.next_multiple_of(BLOCK) - size;
            // the last block of a file that was cut may lack its end, and nothing is missed
            io::copy(&mut open.take(padding), &mut io::sink()).map_err(failed)?;
            self.place.1 = begin + behind_header + size + padding;
            if let Some((key, name)) = key_and_name(&path_in).filter(|_| is_file) {
                return Ok(Some(Member { key, name, content, begin }));
            }
        }
    }

    /// The first file of the next sample, in this archive or a later one.
    fn first(&mut self) -> Result<Option<Member>> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        while let Some(number) = self.order.get(self.place.0 as usize).copied() {
            if let Some(member) = self.member(number)? {
                return Ok(Some(member));
            }
            self.place = (self.place.0 + 1, 0);
            self.open = None;
        }
        Ok(None)
    }
}

impl RecordReader for ShardReader {
    type Record = ShardSample;
    type Place = Place;

    fn next_record(&mut self) -> Result<Option<ShardSample>> {
        let Some(first) = self.first()? else { return Ok(None) };
        let number = self.order[self.place.0 as usize];
        let archive = self.files.path(number).to_owned();
        let mut sample = ShardSample { archive, key: first.key, files: BTreeMap::new() };
        let mut bytes = first.content.len() as u64;
        sample.files.insert(first.name, first.content);
        while let Some(member) = self.member(number)? {
            if member.key != sample.key {
                self.next = Some(member);
                break;
            }
            bytes += member.content.len() as u64;
            if bytes > self.largest {
                return Err(sample.refused(format!("it has more bytes than `largest`: {}", self.largest)).into());
            }
            if sample.files.insert(member.name.clone(), member.content).is_some() {
                return Err(sample.refused(format!("it has two files `{}`", member.name)).into());
            }
        }
        Ok(Some(sample))
    }

    fn place(&self) -> Place {
        match &self.next {
            Some(next) => (self.place.0, next.begin),
            None => self.place,
        }
    }
}

/// Checks what is behind the last file of an archive: the empty block that ends it, and nothing else.
fn check_end(behind: &mut impl Read, is_cut: bool) -> Result<(), &'static str> {
    if is_cut {
        return Err(
            "it has no end: every archive ends with empty blocks, so this one was cut or is still being written",
        );
    }
    let mut block = [0; BLOCK as usize];
    loop {
        match behind.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) if block[..read].iter().all(|byte| *byte == 0) => {}
            _ => {
                return Err(
                    "there is more behind its end: archives that were joined are read only up to the first end",
                );
            }
        }
    }
}

/// With what a file was packed, by its first bytes.
fn packed(begin: &[u8]) -> Option<&'static str> {
    const PACKERS: [(&[u8], &str); 4] =
        [(&[0x1f, 0x8b], "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (&[0x28, 0xb5, 0x2f, 0xfd], "zstd")];
    PACKERS.iter().find(|(magic, _)| begin.starts_with(magic)).map(|(_, name)| *name)
}

/// Key and name in the sample of a path in an archive. Files without a point, and hidden ones, belong to no sample.
fn key_and_name(path: &str) -> Option<(String, String)> {
    let base = path.rfind('/').map_or(0, |slash| slash + 1);
    let point = base + path[base..].find('.').filter(|point| *point > 0)?;
    Some((path[..point].to_owned(), path[point + 1..].to_lowercase()))
}
