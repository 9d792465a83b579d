//! `metrics.jsonl`: one JSON object a line.
//!
//! ```text
//! {"phase":"train","epoch":0,"iter":50,"time":1.23,"loss":0.41,"lr":0.001}
//! ```
//!
//! A line is written by one call, and one that could not be written whole is taken back, so that no row ever
//! follows a torn one. A kill can tear the last line at most; resuming drops it.

use crate::base::disk::{DiskContext, DiskError, parent, sync_folder, write_atomic_by};
use crate::base::error::Result;
use crate::base::plain;
use crate::base::state::{State, StateError, StateMap};
use crate::record::{Event, RecordError, Row, RowPhase, RunInfo, Sink, ValueKind};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The file of a run's rows.
///
/// A new training begins with an empty file. A resumed training continues at the position in its state and drops the
/// rows after it, except the rows of `test` commands up to its iter, because no training writes those again. A command
/// that only evaluates appends its rows.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: Option<File>,
    /// Up to where the lines are whole and belong to this run; before the opening, that of the checkpoint.
    length: Option<u64>,
    /// Reused, so that a row costs no allocation here.
    line: Vec<u8>,
    /// What a person has to know of the opening.
    notice: Option<String>,
}

impl JsonLines {
    /// The file at this path, not yet open.
    pub fn new(path: impl Into<PathBuf>) -> JsonLines {
        JsonLines { path: path.into(), file: None, length: None, line: Vec::new(), notice: None }
    }

    /// Opens the file to write behind what it holds; a missing one is made.
    fn append(&mut self) -> Result<(File, u64), DiskError> {
        let mut open = OpenOptions::new();
        open.read(true).append(true).create(true);
        let file = plain::open(&self.path, &open).while_trying("open", &self.path)?;
        sync_folder(parent(&self.path))?;
        let length = file.metadata().while_trying("read", &self.path)?.len();
        Ok((file, length))
    }

    /// Brings the file to where a training begins or goes on.
    fn cut(&mut self, run: &RunInfo) -> Result<(), DiskError> {
        let (mut file, _) = self.append()?;
        let found = match (run.resumed, self.length) {
            (None, _) => Found::default(),
            (Some(_), Some(position)) => find(&file, |_, end| end <= position).while_trying("read", &self.path)?,
            // the checkpoint tells no position: rows of later iters go, with everything behind the first of them
            (Some(at), None) => {
                find(&file, |row, _| row.is_none_or(|row| row.iter <= at.iter)).while_trying("read", &self.path)?
            }
        };
        let expected = self.length.filter(|_| run.resumed.is_some()).unwrap_or(0);
        if found.length < expected {
            self.notice = Some(format!(
                "rows are missing from `{}`: {} bytes of it are whole lines, and there were {expected} when the checkpoint \
                 was written; the rows that follow are written behind those that are there",
                self.path.display(),
                found.length
            ));
        }
        let limit = run.resumed.map_or(0, |at| at.iter);
        let results: Vec<u8> =
            found.behind.into_iter().filter(|line| line.iter <= limit).flat_map(|line| line.text).collect();
        if results.is_empty() {
            file.set_len(found.length).while_trying("cut", &self.path)?;
        } else {
            // in one step, so that a kill loses none of them
            file.seek(SeekFrom::Start(0)).while_trying("read", &self.path)?;
            write_atomic_by(&self.path, |new| {
                io::copy(&mut file.take(found.length), new)?;
                new.write_all(&results)
            })?;
        }
        let (file, length) = self.append()?;
        (self.file, self.length) = (Some(file), Some(length));
        Ok(())
    }

    fn write(&mut self, row: &Row) -> Result<(), RecordError> {
        row.check()?;
        self.line.clear();
        // neither a number nor a text can fail to become JSON, and a `Vec` takes all
        serde_json::to_writer(&mut self.line, row).map_err(io::Error::from).while_trying("write", &self.path)?;
        self.line.push(b'\n');
        let Some(file) = &mut self.file else { return Ok(()) };
        // a command that evaluates a checkpoint of this run may have written meanwhile
        let before = file.metadata().while_trying("write", &self.path)?.len();
        if let Err(error) = file.write_all(&self.line) {
            // best effort: a part of a line must not stay in front of the next one
            let _ = file.set_len(before);
            return Err(error).while_trying("write", &self.path)?;
        }
        self.length = Some(file.stream_position().while_trying("write", &self.path)?);
        Ok(())
    }
}

impl Sink for JsonLines {
    fn open(&mut self, run: &RunInfo) -> Result<()> {
        if run.phase == RowPhase::Train {
            return Ok(self.cut(run)?);
        }
        let (mut file, length) = self.append()?;
        let torn = length > 0 && !ends_line(&file, length).while_trying("read", &self.path)?;
        if torn {
            file.write_all(b"\n").while_trying("write", &self.path)?;
        }
        self.file = Some(file);
        Ok(())
    }

    fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    fn takes(&self, kind: ValueKind) -> bool {
        kind == ValueKind::Number
    }

    /// Numbers come in rows.
    fn event(&mut self, _: &Event) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        Ok(self.write(row)?)
    }

    fn flush(&mut self) -> Result<()> {
        match &self.file {
            Some(file) => Ok(file.sync_data().while_trying("sync", &self.path)?),
            None => Ok(()),
        }
    }
}

/// Where the rows end, in bytes.
impl State for JsonLines {
    fn save_state(&self) -> StateMap {
        let mut state = StateMap::new();
        state.put("position", &self.length);
        state
    }

    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        self.length = state.take("position")?;
        Ok(())
    }
}

/// What opening needs to know of a row.
#[derive(Deserialize)]
struct Known {
    phase: String,
    iter: u64,
}

/// Where the lines end that stay, and the results of tests behind them.
#[derive(Default)]
struct Found {
    length: u64,
    behind: Vec<TestRow>,
}

struct TestRow {
    iter: u64,
    text: Vec<u8>,
}

/// The longest line that is taken for a row. One of a thousand values has fifty thousand bytes; what is longer was never
/// written here, and may be a hole without an end.
const LONGEST_LINE: u64 = 16 << 20;

/// Looks for the first line that is not to be kept; `keep` gets the row, where the line is one, and where the line ends.
fn find(file: &File, keep: impl Fn(Option<&Known>, u64) -> bool) -> io::Result<Found> {
    let mut lines = BufReader::new(file);
    let mut found = Found::default();
    let (mut end, mut kept) = (0, true);
    let mut line = Vec::new();
    loop {
        line.clear();
        end += lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? as u64;
        // a line without its end is torn: it was not written by one whole call
        if !line.ends_with(b"\n") {
            return Ok(found);
        }
        let row: Option<Known> = serde_json::from_slice(&line).ok();
        kept = kept && keep(row.as_ref(), end);
        match row {
            _ if kept => found.length = end,
            Some(row) if row.phase == RowPhase::Test.as_str() => {
                found.behind.push(TestRow { iter: row.iter, text: line.clone() });
            }
            _ => {}
        }
    }
}

/// Whether the last byte of the file ends a line.
fn ends_line(file: &File, length: u64) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut last = [0];
    file.read_exact_at(&mut last, length - 1)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Moment;
    use std::path::Path;

    fn row(phase: RowPhase, iter: u64, values: &[(&str, f64)]) -> Row {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Row { phase, loader: None, at: Moment { epoch: 0, iter, time: 1.2299999 }, values }
    }

    fn run(resumed: Option<u64>) -> RunInfo {
        let resumed = resumed.map(|iter| Moment { iter, ..Moment::default() });
        RunInfo { resumed, ..RunInfo::new("run", "") }
    }

    fn opened(path: &Path, run: &RunInfo) -> JsonLines {
        let mut lines = JsonLines::new(path);
        lines.open(run).unwrap();
        lines
    }

    /// As a training that goes on at this iter, with the state that its checkpoint holds.
    fn resumed(path: &Path, iter: u64, state: StateMap) -> JsonLines {
        let mut lines = JsonLines::new(path);
        lines.load_state(state).unwrap();
        lines.open(&run(Some(iter))).unwrap();
        lines
    }

    fn file_of(iters: &[u64]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let mut lines = opened(&path, &run(None));
        iters.iter().for_each(|iter| lines.row(&row(RowPhase::Train, *iter, &[("loss", 0.5)])).unwrap());
        (dir, path)
    }

    fn iters_in(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str::<Known>(line).unwrap().iter).collect()
    }

    #[test]
    fn a_row_is_the_documented_line() {
        let (_dir, path) = file_of(&[]);
        let mut lines = opened(&path, &run(None));
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
        let mut lines = opened(&path, &run(Some(1)));
        assert!(lines.row(&row(RowPhase::Train, 2, &[("time", 1.0)])).unwrap_err().to_string().contains("`time`"));
        let twice = lines.row(&row(RowPhase::Train, 2, &[("loss", 1.0), ("loss", 2.0)]));
        assert!(twice.unwrap_err().to_string().contains("`loss` was logged twice"));
        assert_eq!(iters_in(&path), [1]);
    }

    #[test]
    fn resuming_drops_rows_behind_the_checkpoint() {
        let (_dir, path) = file_of(&[50, 100, 150]);
        let mut lines = opened(&path, &run(Some(100)));
        lines.row(&row(RowPhase::Train, 120, &[])).unwrap();
        assert_eq!(iters_in(&path), [50, 100, 120]);
    }

    #[test]
    fn resuming_at_a_position_tells_rows_of_one_iter_apart() {
        let (_dir, path) = file_of(&[50]);
        let mut lines = opened(&path, &run(Some(50)));
        let at_checkpoint = lines.save_state();
        lines.row(&row(RowPhase::Val, 50, &[("accuracy", 0.5)])).unwrap();
        drop(lines);
        resumed(&path, 50, at_checkpoint);
        assert_eq!(iters_in(&path), [50]);
    }

    #[test]
    fn a_result_of_a_test_stays_when_the_training_goes_on_and_counts_in_its_position() {
        let (_dir, path) = file_of(&[50]);
        let mut training = opened(&path, &run(Some(50)));
        let at_checkpoint = training.save_state();
        let mut test = opened(&path, &RunInfo { phase: RowPhase::Test, ..run(None) });
        test.row(&row(RowPhase::Test, 50, &[("accuracy", 0.5)])).unwrap();
        training.row(&row(RowPhase::Train, 100, &[])).unwrap();
        test.row(&row(RowPhase::Test, 100, &[])).unwrap();
        assert_eq!(iters_in(&path), [50, 50, 100, 100]);
        // killed: what is of iter 100 never was
        let mut again = resumed(&path, 50, at_checkpoint);
        again.row(&row(RowPhase::Train, 70, &[])).unwrap();
        let later = again.save_state();
        again.row(&row(RowPhase::Train, 90, &[])).unwrap();
        resumed(&path, 70, later);
        assert_eq!(iters_in(&path), [50, 50, 70]);
    }

    #[test]
    fn a_line_torn_at_any_place_is_dropped_and_the_next_row_is_whole() {
        let (_dir, path) = file_of(&[50, 100]);
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in first..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let mut lines = opened(&path, &run(Some(100)));
            lines.row(&row(RowPhase::Train, 150, &[])).unwrap();
            assert_eq!(iters_in(&path), [50, 150], "torn at {end}");
        }
    }

    #[test]
    fn a_file_that_never_came_to_be_is_made_on_resume_and_what_is_no_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        opened(&path, &run(Some(10))).row(&row(RowPhase::Train, 11, &[])).unwrap();
        assert_eq!(iters_in(&path), [11]);
        let error = format!("{:#}", JsonLines::new(dir.path()).open(&run(None)).unwrap_err());
        assert!(error.ends_with("move what lies there out of the way: it is a folder, not a regular file"), "{error}");
    }

    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        // a device that takes nothing, as a full disk does
        let file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut lines = JsonLines { file: Some(file), length: Some(0), ..JsonLines::new("metrics.jsonl") };
        let error = lines.row(&row(RowPhase::Train, 1, &[])).unwrap_err();
        assert!(error.to_string().contains("`metrics.jsonl`, the disk is full"), "{error}");
        assert_eq!(lines.length, Some(0));
    }

    #[test]
    fn rows_that_are_missing_are_told_and_the_file_goes_on_behind_what_is_there() {
        let (_dir, path) = file_of(&[1, 2, 3]);
        let whole = std::fs::read(&path).unwrap();
        let state = || {
            let mut state = StateMap::new();
            state.put("position", &Some(whole.len() as u64));
            state
        };
        assert_eq!(resumed(&path, 3, state()).notice(), None);
        for (cut, kept) in [(1, 2), (whole.len(), 0)] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut lines = resumed(&path, 3, state());
            let notice = lines.notice().unwrap();
            assert!(notice.starts_with("rows are missing from `") && notice.contains("metrics.jsonl"), "{notice}");
            assert_eq!(lines.notice(), None);
            lines.row(&row(RowPhase::Train, 4, &[])).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), kept + 1);
        }
    }

    #[test]
    fn a_hole_in_the_place_of_lines_is_dropped_without_being_read_to_its_end() {
        let (_dir, path) = file_of(&[1, 2]);
        let whole = std::fs::read(&path).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let lines = resumed(
            &path,
            2,
            StateMap(std::iter::once(("position".to_owned(), crate::base::state::StateValue::None)).collect()),
        );
        drop(lines);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
}
