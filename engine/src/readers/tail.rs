//! The lines of a file that grows.

use super::place;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

/// The longest line that is read; what is longer was not written by a run.
const LONGEST_LINE: u64 = 16 << 20;
/// How many bytes before the position are remembered, to notice that the file was cut and has grown again.
const MARK: u64 = 64;

/// Where the reading of a file stands.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Behind the last whole line.
    position: u64,
    /// The file that was read: its number on the disk.
    file: Option<u64>,
    /// The bytes before the position, at most [`MARK`].
    mark: Vec<u8>,
    /// How long the file was at the last look.
    length: u64,
    /// It has a line that is too long; nothing behind it is read.
    given_up: bool,
}

/// What a reading has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The file is another one, or was cut: what was read before is void, and the lines begin with the first one.
    pub(super) anew: bool,
    /// Whether there were lines.
    pub(super) lines: bool,
    /// Whether there is more to read at once.
    pub(super) more: bool,
}

impl Tail {
    /// Reads lines that were added, about `budget` bytes of them. `begin` is called before the first line where the file has
    /// to be read from its begin again; `line` gets each line without its end. A file that can't be opened is an empty one.
    pub(super) fn read<S>(
        &mut self,
        folder: &Path,
        name: &str,
        budget: u64,
        state: &mut S,
        begin: impl Fn(&mut S),
        line: impl Fn(&mut S, &[u8]),
    ) -> Found {
        let mut found = Found::default();
        let Ok(file) = place::open(folder, name) else {
            found.anew = self.file.is_some();
            if found.anew {
                *self = Tail::default();
                begin(state);
            }
            return found;
        };
        if !self.goes_on(&file) {
            found.anew = self.file.is_some();
            *self = Tail { file: file.metadata().ok().map(|found| found.ino()), ..Tail::default() };
            begin(state);
        }
        self.length = file.metadata().map_or(0, |found| found.len());
        if self.given_up || self.length <= self.position {
            return found;
        }
        // an error of the disk: what was read stays, and the next look tries again
        let _ = self.read_lines(file, budget, &mut found, |text| line(state, text));
        found.more = !self.given_up && found.more;
        found
    }

    fn read_lines(
        &mut self,
        mut file: File,
        budget: u64,
        found: &mut Found,
        mut line: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        file.seek(SeekFrom::Start(self.position))?;
        let mut lines = BufReader::with_capacity(1 << 16, file);
        let (end, mut text) = (self.position + budget, Vec::new());
        while self.position < end {
            text.clear();
            lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text)?;
            if !text.ends_with(b"\n") {
                self.given_up = text.len() as u64 == LONGEST_LINE;
                return Ok(());
            }
            self.position += text.len() as u64;
            let kept = text.len().saturating_sub(MARK as usize);
            self.mark.clear();
            self.mark.extend_from_slice(&text[kept..]);
            found.lines = true;
            line(&text[..text.len() - 1]);
        }
        found.more = self.position < self.length;
        Ok(())
    }

    /// Whether the file is the one that was read, as far as it was read.
    fn goes_on(&self, file: &File) -> bool {
        let Ok(meta) = file.metadata() else { return false };
        if self.file != Some(meta.ino()) || meta.len() < self.position {
            return false;
        }
        let mut there = vec![0; self.mark.len()];
        let read = file.read_exact_at(&mut there, self.position - self.mark.len() as u64);
        read.is_ok() && there == self.mark
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// How much of the file was read, from 0 to 1.
    pub(super) fn progress(&self) -> f64 {
        match self.given_up || self.length == 0 {
            true => 1.0,
            false => self.position as f64 / self.length as f64,
        }
    }

    /// Whether a line was too long to be read.
    pub(super) fn has_given_up(&self) -> bool {
        self.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write as _;

    /// The lines so far.
    fn look(tail: &mut Tail, folder: &Path, lines: &mut Vec<String>) -> Found {
        tail.read(folder, "file", 1 << 20, lines, Vec::clear, |lines, line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
        })
    }

    fn add(folder: &Path, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(folder.join("file")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_torn_line_waits_for_its_end() {
        let (dir, mut tail, mut lines) = (tempfile::tempdir().unwrap(), Tail::default(), Vec::new());
        assert_eq!(look(&mut tail, dir.path(), &mut lines), Found::default());
        add(dir.path(), "one\ntw");
        assert!(look(&mut tail, dir.path(), &mut lines).lines);
        assert_eq!(lines, ["one"]);
        assert!(!look(&mut tail, dir.path(), &mut lines).lines);
        add(dir.path(), "o\n");
        look(&mut tail, dir.path(), &mut lines);
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn a_file_that_was_cut_and_has_grown_past_the_position_is_read_again() {
        let (dir, mut tail, mut lines) = (tempfile::tempdir().unwrap(), Tail::default(), Vec::new());
        add(dir.path(), "one\ntwo\nthree\n");
        look(&mut tail, dir.path(), &mut lines);
        OpenOptions::new().write(true).open(dir.path().join("file")).unwrap().set_len(4).unwrap();
        add(dir.path(), "another two\nand a third line\n");
        assert!(look(&mut tail, dir.path(), &mut lines).anew);
        assert_eq!(lines, ["one", "another two", "and a third line"]);
        // replaced by another file, and deleted
        std::fs::rename(dir.path().join("file"), dir.path().join("old")).unwrap();
        add(dir.path(), "one\nanother two\nand a third line\nfour\n");
        assert!(look(&mut tail, dir.path(), &mut lines).anew);
        assert_eq!(lines.len(), 4);
        std::fs::remove_file(dir.path().join("file")).unwrap();
        assert!(look(&mut tail, dir.path(), &mut lines).anew && lines.is_empty());
    }

    #[test]
    fn a_hole_is_given_up_and_a_budget_is_kept() {
        let (dir, mut tail, mut lines) = (tempfile::tempdir().unwrap(), Tail::default(), Vec::new());
        add(dir.path(), "one\ntwo\n");
        let one = tail.read(dir.path(), "file", 1, &mut lines, Vec::clear, |lines: &mut Vec<String>, line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
        });
        assert!(one.more && lines == ["one"] && tail.progress() == 0.5);
        OpenOptions::new().write(true).open(dir.path().join("file")).unwrap().set_len(1 << 40).unwrap();
        while look(&mut tail, dir.path(), &mut lines).more {}
        assert!(tail.has_given_up() && tail.progress() == 1.0);
        assert_eq!(lines, ["one", "two"]);
    }
}
