//! `log.txt`: every line that a person was shown, each with its time (UTC, ISO 8601).
//!
//! It is a history: a resumed run appends to it, also when the last line is incomplete.

use super::format::{event_text, row_text};
use crate::base::disk::{DiskContext, DiskError, parent, sync_folder};
use crate::base::error::Result;
use crate::base::plain;
use crate::base::state::{State, StateError, StateMap};
use crate::record::{Event, Row, Sink, ValueKind};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The text log of a run.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens the file for appending; creates it if it is missing.
    ///
    /// # Errors
    /// When it can't be opened, or is not a plain file: a pipe would block the run.
    pub fn open(path: &Path) -> Result<LogFile, DiskError> {
        let mut open = OpenOptions::new();
        open.read(true).append(true).create(true);
        let mut file = plain::open(path, &open).while_trying("open", path)?;
        sync_folder(parent(path))?;
        if ends_torn(&mut file) {
            file.write_all(b"\n").while_trying("write", path)?;
        }
        Ok(LogFile { path: path.to_owned(), file })
    }
}

impl Sink for LogFile {
    fn takes(&self, kind: ValueKind) -> bool {
        matches!(kind, ValueKind::Number | ValueKind::Text | ValueKind::Table)
    }

    fn event(&mut self, event: &Event) -> Result<()> {
        event_text(event).map_or(Ok(()), |text| self.line(&text))
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.line(&row_text(row))
    }

    fn line(&mut self, text: &str) -> Result<()> {
        let stamp = stamp(now());
        let stamped: String = text.split('\n').map(|line| format!("{stamp} {line}\n")).collect();
        Ok(self.file.write_all(stamped.as_bytes()).while_trying("write", &self.path)?)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(self.file.sync_data().while_trying("sync", &self.path)?)
    }
}

/// A resumed run goes on behind what is there.
impl State for LogFile {
    fn save_state(&self) -> StateMap {
        StateMap::new()
    }

    fn load_state(&mut self, _: StateMap) -> Result<(), StateError> {
        Ok(())
    }
}

/// Whether the last line lacks its end; an unreadable file is taken as it is.
fn ends_torn(file: &mut File) -> bool {
    let mut last = [b'\n'];
    let read = file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last));
    read.is_ok() && last != *b"\n"
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a log shows the date, nothing is computed from it")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The day (UTC), `2026-02-28`.
pub(crate) fn date() -> String {
    stamp(now()).split('T').next().unwrap_or_default().to_owned()
}

/// Seconds since 1970 as `2026-02-28T23:59:59Z`.
///
/// The date by Howard Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>): years
/// begin in March, so that the leap day is the last, and repeat every 400 years.
fn stamp(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = days / 146_097 * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_the_dates_of_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (1_772_323_199, "2026-02-28T23:59:59Z"),
            (1_772_323_200, "2026-03-01T00:00:00Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(stamp(seconds), expected);
        }
    }

    #[test]
    fn every_line_has_its_time_and_a_reopened_log_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.txt");
        LogFile::open(&path).unwrap().line("one\ntwo").unwrap();
        LogFile::open(&path).unwrap().line("three").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(lines.iter().map(|(_, text)| *text).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert!(lines.iter().all(|(stamp, _)| stamp.len() == 20 && stamp.ends_with('Z')));
    }

    #[test]
    fn a_torn_last_line_stays_a_line_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.txt");
        std::fs::write(&path, "torn").unwrap();
        LogFile::open(&path).unwrap().line("next").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().next(), Some("torn"));
        assert!(text.ends_with(" next\n"));
    }
}
