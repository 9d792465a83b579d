//! When a run has to end by the clock on the wall.

use std::time::{Duration, Instant};

/// The time at which a run ends, so that it is saved before somebody ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    at: Instant,
    /// Who has set it: `--max-time`, or a variable of the environment.
    pub(crate) by: &'static str,
    /// As it is told: "the time limit of 3h50m".
    pub(crate) told: String,
}

impl TimeLimit {
    /// So long from now. `None` when no clock can tell that time.
    pub fn after(span: Duration, by: &'static str, told: String) -> Option<TimeLimit> {
        Some(TimeLimit { at: Instant::now().checked_add(span)?, by, told })
    }

    /// The earlier of two.
    pub fn earlier(self, other: TimeLimit) -> TimeLimit {
        if other.at < self.at { other } else { self }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.at
    }
}
