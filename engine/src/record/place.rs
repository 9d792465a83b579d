//! Where in a run something is recorded: the loop and the moment.

use crate::phase::{Group, Phase};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which loop a row or an event is about.
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
    /// Seconds since the run's start, those before a resume included.
    pub time: f64,
}

impl RowPhase {
    /// All of them.
    pub const ALL: [RowPhase; 3] = [RowPhase::Train, RowPhase::Val, RowPhase::Test];

    /// `train`, `val` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            RowPhase::Train => "train",
            RowPhase::Val => "val",
            RowPhase::Test => "test",
        }
    }

    /// Where a value belongs that is logged in this phase of a run: what is neither validation nor test counts as
    /// training.
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
