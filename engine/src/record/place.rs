//! The position of a record in a run: the loop and the moment.

use crate::phase::{Group, Phase};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The loop to which a row or an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RowPhase {
    /// Training.
    Train,
    /// Validation.
    Val,
    /// The test.
    Test,
}

/// A point in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// Finished epochs.
    pub epoch: u64,
    /// Finished iters.
    pub iter: u64,
    /// Seconds since the start of the run, including the time before a resume.
    pub time: f64,
}

impl RowPhase {
    /// All three.
    pub const ALL: [RowPhase; 3] = [RowPhase::Train, RowPhase::Val, RowPhase::Test];

    /// `train`, `val` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            RowPhase::Train => "train",
            RowPhase::Val => "val",
            RowPhase::Test => "test",
        }
    }

    /// The loop of values that are logged in this phase of a run: all phases except those of validation and test
    /// belong to training.
    pub fn of(phase: Phase) -> RowPhase {
        match phase.group() {
            Group::Val => RowPhase::Val,
            Group::Test => RowPhase::Test,
            _ => RowPhase::Train,
        }
    }

    /// The full name of a value, as hooks monitor it: `val/accuracy`, or `val/hard/accuracy` for a named loader.
    pub fn key(self, loader: Option<&str>, name: &str) -> String {
        match loader {
            Some(loader) => format!("{self}/{loader}/{name}"),
            None => format!("{self}/{name}"),
        }
    }
}

impl fmt::Display for RowPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
