//! A run as its folder shows it.

use super::alive::Locks;
use super::log::{End, LogReader};
use super::rows::Rows;
use super::rows_reader::RowsReader;
use std::path::{Path, PathBuf};

/// Bytes of rows that are read at once, unless more are asked for: some hundredths of a second, for which a question about the
/// run waits.
const MOST_AT_ONCE: u64 = 8 << 20;

/// What a run is doing, or how it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A process on this machine trains in the folder: its number.
    Running(u32),
    /// The plan is finished.
    Finished,
    /// A hook, a step or a signal has stopped it: the reason.
    Stopped(String),
    /// The first line of the error.
    Failed(String),
    /// Its log has no end: it was killed, or it runs on another machine.
    Lost,
    /// There is no training in its log.
    Unknown,
}

impl State {
    /// One word: `running`, `finished`, ….
    pub fn word(&self) -> &'static str {
        match self {
            State::Running(_) => "running",
            State::Finished => "finished",
            State::Stopped(_) => "stopped",
            State::Failed(_) => "failed",
            State::Lost => "killed",
            State::Unknown => "unknown",
        }
    }

    /// What else there is to say of it.
    pub fn detail(&self) -> String {
        match self {
            State::Running(process) => format!("process {process}"),
            State::Finished => String::new(),
            State::Stopped(why) | State::Failed(why) => why.clone(),
            State::Lost => "its log has no end: killed, or running on another machine".to_owned(),
            State::Unknown => "no training in its log".to_owned(),
        }
    }
}

/// Reads what is in a run's folder, and reads on when it is asked again.
#[derive(Debug)]
pub struct RunReader {
    folder: PathBuf,
    rows: RowsReader,
    log: LogReader,
    state: State,
}

impl RunReader {
    /// The run in this folder. Nothing is read yet.
    pub fn new(folder: impl Into<PathBuf>) -> RunReader {
        let (rows, log) = (RowsReader::default(), LogReader::default());
        RunReader { folder: folder.into(), rows, log, state: State::Unknown }
    }

    /// Reads what was added to the rows and the log, about `budget` bytes of each; of rows a quarter of what was read before, if
    /// that is more, at most 8 MiB. So a long run is read in few parts even while somebody asks for its curves after
    /// each.
    ///
    /// Returns whether anything has changed, and whether there is more to read at once.
    pub fn read(&mut self, locks: &Locks, budget: u64) -> (bool, bool) {
        let of_rows = budget.max((self.rows.bytes() / 4).min(MOST_AT_ONCE));
        let (rows, log) = (self.rows.read(&self.folder, of_rows), self.log.read(&self.folder, budget));
        let state = self.look(locks);
        let changed = rows.anew || rows.lines || log.anew || log.lines || state != self.state;
        self.state = state;
        (changed, rows.more || log.more)
    }

    /// Reads all there is.
    pub fn read_all(&mut self, locks: &Locks) {
        while self.read(locks, 1 << 24).1 {}
    }

    fn look(&self, locks: &Locks) -> State {
        let session = self.log.session();
        match (locks.holder(&self.folder), &session.end) {
            (Some(process), _) => State::Running(process),
            (None, Some(End::Finished)) => State::Finished,
            (None, Some(End::Stopped(why))) => State::Stopped(why.clone()),
            (None, Some(End::Failed(why))) => State::Failed(why.clone()),
            (None, None) if session.begun.is_some() => State::Lost,
            (None, None) => State::Unknown,
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of the folder, which is the name of the run.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or(self.folder.as_os_str()).to_string_lossy().into_owned()
    }

    /// What the run is doing.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Its numbers.
    pub fn rows(&self) -> &Rows {
        self.rows.rows()
    }

    /// Its log.
    pub fn log(&self) -> &LogReader {
        &self.log
    }

    /// How much of its rows was read, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.rows.progress()
    }

    /// What a person has to know of the reading, one sentence each.
    pub fn notices(&self) -> Vec<String> {
        self.rows.notices()
    }
}
