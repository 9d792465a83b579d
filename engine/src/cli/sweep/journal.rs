//! `trials.jsonl`: what a sweep has begun and what has ended, one line each, on the disk before anything depends on it.
//!
//! A trial is written here before its process is started, and its end after the process has ended. So whatever instant a
//! sweep is killed at, its journal says which trials there are: none is lost, and none is begun twice. A kill can tear the
//! last line at most, which is dropped when the sweep goes on.

use crate::base::{Error, ErrorContext as _, Result};
use crate::cli::sweep::space::Pick;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// The journal's file in the folder of a sweep.
pub(super) const JOURNAL: &str = "trials.jsonl";

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Begun {
        trial: usize,
        picks: Vec<Pick>,
    },
    /// It has come to its next rung, with the best value so far.
    Paused {
        trial: usize,
        value: f64,
    },
    /// It goes on to the next rung, or to its end.
    Promoted {
        trial: usize,
    },
    Ended {
        trial: usize,
        end: End,
    },
    /// It has failed, and is at work again.
    Retried {
        trial: usize,
    },
}

/// How a trial has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum End {
    /// With the best value of the metric.
    Value(f64),
    /// It has failed, and why.
    Failed(String),
}

/// A trial that has begun.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trial {
    pub(super) picks: Vec<Pick>,
    /// The best value when it came to each rung.
    pub(super) rungs: Vec<f64>,
    /// How often it went on from a rung.
    pub(super) promoted: usize,
    pub(super) end: Option<End>,
}

impl Trial {
    /// The rung at which it waits, or has stopped for good.
    pub(super) fn waits_at(&self) -> Option<usize> {
        (self.end.is_none() && self.rungs.len() > self.promoted).then_some(self.promoted)
    }

    /// Whether its training goes on now, as far as the journal says.
    pub(super) fn is_at_work(&self) -> bool {
        self.end.is_none() && self.waits_at().is_none()
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.end, Some(End::Failed(_)))
    }

    /// The value at a rung; that of its end where it has ended before.
    pub(super) fn value_at(&self, rung: usize) -> Option<f64> {
        self.rungs.get(rung).copied().or(match self.end {
            Some(End::Value(value)) => Some(value),
            _ => None,
        })
    }

    /// The best value that is known.
    pub(super) fn value(&self) -> Option<f64> {
        match self.end {
            Some(End::Value(value)) => Some(value),
            Some(End::Failed(_)) => None,
            None => self.rungs.last().copied(),
        }
    }

    /// The first value that is known, which is of the same rung in all trials.
    pub(super) fn first_value(&self) -> Option<f64> {
        self.rungs.first().copied().or_else(|| self.value())
    }
}

/// The journal, which one process at a time holds.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// The trials, by their numbers.
    pub(super) trials: Vec<Trial>,
}

impl Journal {
    /// Opens the journal of a folder, or makes it.
    ///
    /// # Errors
    /// When another process has it, or a line is none of a journal.
    pub(super) fn open(folder: &Path) -> Result<Journal> {
        let path = folder.join(JOURNAL);
        let told = || format!("`{}` can't be read", path.display());
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).with_context(told)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::msg(format!(
                    "another process works on the sweep in `{}`; wait for its end, or end it",
                    folder.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(told),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).with_context(told)?;
        let whole = whole(&text);
        file.set_len(whole.len() as u64).with_context(told)?;
        file.seek(SeekFrom::End(0)).with_context(told)?;
        let trials = trials(whole, &path)?;
        Ok(Journal { file, trials })
    }

    /// Notes a new trial; its number.
    pub(super) fn begin(&mut self, picks: Vec<Pick>) -> Result<usize> {
        let trial = self.trials.len();
        self.write(Line::Begun { trial, picks })?;
        Ok(trial)
    }

    /// Notes that a trial has come to its next rung.
    pub(super) fn pause(&mut self, trial: usize, value: f64) -> Result<()> {
        self.write(Line::Paused { trial, value })
    }

    /// Notes that a trial goes on from its rung.
    pub(super) fn promote(&mut self, trial: usize) -> Result<()> {
        self.write(Line::Promoted { trial })
    }

    /// Notes the end of a trial.
    pub(super) fn end(&mut self, trial: usize, end: End) -> Result<()> {
        self.write(Line::Ended { trial, end })
    }

    /// Notes that a trial that has failed is tried again.
    pub(super) fn retry(&mut self, trial: usize) -> Result<()> {
        self.write(Line::Retried { trial })
    }

    fn write(&mut self, line: Line) -> Result<()> {
        // before it is written: what contradicts the file makes it useless
        let mut trials = self.trials.clone();
        let mut text = serde_json::to_vec(&line).context("a line of the journal can't be written")?;
        add(&mut trials, line).ok_or_else(|| Error::msg("the journal of the sweep contradicts itself"))?;
        text.push(b'\n');
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        written.context("the journal of the sweep can't be written")?;
        self.trials = trials;
        Ok(())
    }
}

/// The trials of a journal that another process may be writing.
///
/// # Errors
/// When it can't be read, or a line is none of a journal.
pub(super) fn read(folder: &Path) -> Result<Vec<Trial>> {
    let path = folder.join(JOURNAL);
    let text = std::fs::read(&path).with_context(|| format!("`{}` can't be read", path.display()))?;
    trials(whole(&text), &path)
}

/// The lines that were written whole.
fn whole(text: &[u8]) -> &[u8] {
    &text[..text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)]
}

fn trials(lines: &[u8], path: &Path) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    let lines = lines.split(|byte| *byte == b'\n').enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let place = format!("line {} of `{}`", number + 1, path.display());
        let Ok(line) = serde_json::from_slice(line) else {
            let help = "delete that line, and the sweep goes on with what the others say";
            return Err(Error::msg(format!("{place} can't be read; {help}")));
        };
        if add(&mut trials, line).is_none() {
            let help =
                "a line is missing or was changed; restore the file, or begin the sweep again under another `name`";
            return Err(Error::msg(format!("{place} contradicts the lines before it: {help}")));
        }
    }
    Ok(trials)
}

/// The name of a trial, which is that of its run.
pub(super) fn name_of(trial: usize) -> String {
    format!("{trial:04}")
}

/// Adds what a line says; none where it contradicts the lines before.
fn add(trials: &mut Vec<Trial>, line: Line) -> Option<()> {
    match line {
        Line::Begun { trial, picks } => {
            let new = Trial { picks, rungs: Vec::new(), promoted: 0, end: None };
            (trial == trials.len()).then(|| trials.push(new))
        }
        Line::Paused { trial, value } => {
            let trial = trials.get_mut(trial).filter(|trial| trial.is_at_work() && value.is_finite())?;
            trial.rungs.push(value);
            Some(())
        }
        Line::Promoted { trial } => {
            let trial = trials.get_mut(trial).filter(|trial| trial.waits_at().is_some())?;
            trial.promoted += 1;
            Some(())
        }
        Line::Ended { trial, end } => {
            let trial = trials.get_mut(trial).filter(|trial| trial.is_at_work())?;
            trial.end = Some(end);
            Some(())
        }
        Line::Retried { trial } => {
            let trial = trials.get_mut(trial).filter(|trial| trial.has_failed())?;
            trial.end = None;
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_a_torn_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.begin(vec![Pick::Float(0.00123456), Pick::Choice(2)]).unwrap(), 0);
        assert_eq!(journal.begin(vec![Pick::Int(-3)]).unwrap(), 1);
        journal.end(1, End::Failed("it is \"bad\"\nso".into())).unwrap();
        let known = journal.trials.clone();
        assert!(Journal::open(folder.path()).unwrap_err().to_string().contains("another process works"));
        drop(journal);
        let path = folder.path().join(JOURNAL);
        let whole = std::fs::read(&path).unwrap();
        let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        // whatever part of the last line a kill has left
        for cut in last..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let journal = Journal::open(folder.path()).unwrap();
            assert_eq!((journal.trials.len(), &journal.trials[1].end), (2, &None));
            assert_eq!(std::fs::read(&path).unwrap(), whole[..last]);
        }
        std::fs::write(&path, &whole).unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.trials, known);
        journal.end(0, End::Value(0.5)).unwrap();
        assert!(journal.end(0, End::Value(0.5)).is_err());
        // one that has failed can be tried again, and no other
        assert!(journal.retry(0).is_err());
        drop(journal);
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.retry(1).unwrap();
        assert!(journal.retry(1).is_err());
        drop(journal);
        let mut journal = Journal::open(folder.path()).unwrap();
        assert!(journal.trials[1].is_at_work());
        journal.end(1, End::Value(0.25)).unwrap();
    }

    #[test]
    fn a_line_of_something_else_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| {
            std::fs::write(folder.path().join(JOURNAL), text).unwrap();
            Journal::open(folder.path()).unwrap_err().to_string()
        };
        for text in [
            "{\"ended\":{\"trial\":0,\"end\":{\"value\":1.0}}}\n",
            "{\"begun\":{\"trial\":1,\"picks\":[]}}\n",
            "{\"promoted\":{\"trial\":0}}\n",
            "{\"paused\":{\"trial\":0,\"value\":0.5}}\n",
            "{\"retried\":{\"trial\":0}}\n",
        ] {
            let told = told(text);
            assert!(told.contains("line 1 of") && told.contains("a line is missing"), "{text} {told}");
        }
        let told = told("{\"begun\":{\"trial\":0,\"picks\":[]}}\n\nhello\n");
        assert!(told.contains("line 3 of") && told.contains("delete that line"), "{told}");
    }
}
