//! `metrics.jsonl`: one JSON object a line.
//!
//! ```text
//! {"phase":"train","epoch":0,"iter":50,"time":1.23,"loss":0.41,"lr":0.001}
//! ```
//!
//! A line is written by one call, and one that could not be written whole is taken back, so that no row ever
//! follows a torn one. A kill can tear the last line at most; resuming drops it.

use super::{RecordError, Row, Sink};
use crate::base::disk::{DiskContext, DiskError};
use crate::base::error::Result;
use crate::base::units::Iter;
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The file of a run's rows.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
    /// Up to where the lines are whole.
    length: u64,
    /// Reused, so that a row costs no allocation here.
    line: Vec<u8>,
}

impl JsonLines {
    /// A new file.
    ///
    /// # Errors
    /// When there is one already, or it can't be made.
    pub fn create(path: &Path) -> Result<JsonLines, DiskError> {
        let file = OpenOptions::new().append(true).create_new(true).open(path).while_trying("make", path)?;
        Ok(JsonLines { path: path.to_owned(), file, length: 0, line: Vec::new() })
    }

    /// Continues the file of a run that resumes after this many finished iters: rows of later iters are dropped,
    /// with everything behind the first of them, and so is a torn last line. A missing file is made.
    ///
    /// Rows of the checkpoint's own iter stay. Where some of them were written after the checkpoint,
    /// [`JsonLines::resume_at`] tells them apart.
    ///
    /// # Errors
    /// When the file can't be read or cut.
    pub fn resume_after(path: &Path, iter: Iter) -> Result<JsonLines, DiskError> {
        Self::resume(path, |row, _| row.is_none_or(|row| row.iter <= iter.get()))
    }

    /// Continues the file from the [`position`](Sink::position) that a checkpoint holds. Where the file is
    /// shorter than that, its whole lines stay. A missing file is made.
    ///
    /// # Errors
    /// When the file can't be read or cut.
    pub fn resume_at(path: &Path, position: u64) -> Result<JsonLines, DiskError> {
        Self::resume(path, |_, end| end <= position)
    }

    /// Keeps the lines up to the first that is not to be kept; `keep` gets the row, where the line is one, and
    /// where the line ends.
    fn resume(path: &Path, keep: impl Fn(Option<Clock>, u64) -> bool) -> Result<JsonLines, DiskError> {
        let mut open = OpenOptions::new();
        let file = open.read(true).append(true).create(true).open(path).while_trying("open", path)?;
        let length = kept(&file, keep).while_trying("read", path)?;
        file.set_len(length).while_trying("cut", path)?;
        Ok(JsonLines { path: path.to_owned(), file, length, line: Vec::new() })
    }

    fn write(&mut self, row: &Row) -> Result<(), RecordError> {
        row.check()?;
        self.line.clear();
        // neither a number nor a text can fail to become JSON, and a `Vec` takes all
        serde_json::to_writer(&mut self.line, row).map_err(io::Error::from).while_trying("write", &self.path)?;
        self.line.push(b'\n');
        if let Err(error) = self.file.write_all(&self.line) {
            // best effort: a part of a line must not stay in front of the next one
            let _ = self.file.set_len(self.length);
            return Err(error).while_trying("write", &self.path)?;
        }
        self.length += self.line.len() as u64;
        Ok(())
    }
}

impl Sink for JsonLines {
    fn row(&mut self, row: &Row) -> Result<()> {
        Ok(self.write(row)?)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(self.file.sync_data().while_trying("sync", &self.path)?)
    }

    fn position(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// What resuming needs to know of a row.
#[derive(Deserialize)]
struct Clock {
    iter: u64,
}

fn kept(file: &File, keep: impl Fn(Option<Clock>, u64) -> bool) -> io::Result<u64> {
    let mut lines = BufReader::new(file);
    let mut length = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line)? as u64;
        let end = length + read;
        // a line without its end is torn: it was not written by one whole call
        if !line.ends_with(b"\n") || !keep(serde_json::from_slice(&line).ok(), end) {
            return Ok(length);
        }
        length = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RowPhase;

    fn row(phase: RowPhase, iter: u64, values: &[(&str, f64)]) -> Row {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Row { phase, loader: None, epoch: 0, iter, time: 1.2299999, values }
    }

    fn file_of(iters: &[u64]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let mut lines = JsonLines::create(&path).unwrap();
        iters.iter().for_each(|iter| lines.row(&row(RowPhase::Train, *iter, &[("loss", 0.5)])).unwrap());
        (dir, path)
    }

    fn iters_in(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str::<Clock>(line).unwrap().iter).collect()
    }

    #[test]
    fn a_row_is_the_documented_line() {
        let (_dir, path) = file_of(&[]);
        let mut lines = JsonLines::resume_at(&path, 0).unwrap();
        lines.row(&row(RowPhase::Train, 50, &[("loss", 0.41), ("lr", 0.001)])).unwrap();
        let named = Row { loader: Some("hard".to_owned()), ..row(RowPhase::Val, 50, &[("accuracy", 1.0)]) };
        lines.row(&named).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            concat!(
                r#"{"phase":"train","epoch":0,"iter":50,"time":1.23,"loss":0.41,"lr":0.001}"#,
                "\n",
                r#"{"phase":"val","loader":"hard","epoch":0,"iter":50,"time":1.23,"accuracy":1.0}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_json_lacks_is_null_and_the_rest_is_exact() {
        let values = [("a", f64::NAN), ("b", f64::INFINITY), ("c", 0.1 + 0.2), ("d", f64::from(0.1f32)), ("e", 5e-324)];
        let text = serde_json::to_string(&row(RowPhase::Test, 1, &values)).unwrap();
        let back: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(back["a"].is_null() && back["b"].is_null());
        for (name, value) in &values[2..] {
            assert_eq!(back[*name].as_f64(), Some(*value));
        }
    }

    #[test]
    fn a_value_under_a_fixed_key_or_twice_is_refused_and_leaves_no_line() {
        let (_dir, path) = file_of(&[1]);
        let mut lines = JsonLines::resume_after(&path, Iter(1)).unwrap();
        assert!(lines.row(&row(RowPhase::Train, 2, &[("time", 1.0)])).unwrap_err().to_string().contains("`time`"));
        let twice = lines.row(&row(RowPhase::Train, 2, &[("loss", 1.0), ("loss", 2.0)]));
        assert!(twice.unwrap_err().to_string().contains("`loss` is twice"));
        assert_eq!(iters_in(&path), [1]);
    }

    #[test]
    fn resuming_drops_rows_behind_the_checkpoint() {
        let (_dir, path) = file_of(&[50, 100, 150]);
        let mut lines = JsonLines::resume_after(&path, Iter(100)).unwrap();
        lines.row(&row(RowPhase::Train, 120, &[])).unwrap();
        assert_eq!(iters_in(&path), [50, 100, 120]);
    }

    #[test]
    fn resuming_at_a_position_tells_rows_of_one_iter_apart() {
        let (_dir, path) = file_of(&[50]);
        let mut lines = JsonLines::resume_after(&path, Iter(50)).unwrap();
        let at_checkpoint = lines.position().unwrap();
        lines.row(&row(RowPhase::Val, 50, &[("accuracy", 0.5)])).unwrap();
        drop(lines);
        JsonLines::resume_at(&path, at_checkpoint).unwrap();
        assert_eq!(iters_in(&path), [50]);
    }

    #[test]
    fn a_line_torn_at_any_place_is_dropped_and_the_next_row_is_whole() {
        let (_dir, path) = file_of(&[50, 100]);
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in first..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let mut lines = JsonLines::resume_after(&path, Iter(100)).unwrap();
            lines.row(&row(RowPhase::Train, 150, &[])).unwrap();
            assert_eq!(iters_in(&path), [50, 150], "torn at {end}");
        }
    }

    #[test]
    fn a_file_that_never_came_to_be_is_made_on_resume() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        JsonLines::resume_after(&path, Iter(10)).unwrap().row(&row(RowPhase::Train, 11, &[])).unwrap();
        assert_eq!(iters_in(&path), [11]);
        assert!(JsonLines::create(&path).is_err());
    }

    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        // a device that takes nothing, as a full disk does
        let file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut lines = JsonLines { path: "metrics.jsonl".into(), file, length: 0, line: Vec::new() };
        let error = lines.row(&row(RowPhase::Train, 1, &[])).unwrap_err();
        assert!(error.to_string().contains("`metrics.jsonl`, the disk is full"), "{error}");
        assert_eq!(lines.position(), Some(0));
    }
}
