//! How many threads read samples ahead.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// The most threads of a loader.
pub(super) const MOST: usize = 256;

/// The threads of a loader: a number, or `Auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// So many; with 0 each batch is read when it is wanted.
    Threads(usize),
    /// Up to the cores of this machine, shared among the ranks on it. At first few batches are made ahead; whenever the
    /// training has waited for batches several times, one more is, and so one more thread works.
    Auto,
}

impl Workers {
    /// Whether there are any.
    pub(super) fn are_any(self) -> bool {
        self != Workers::Threads(0)
    }

    /// The threads. Of `Auto` all that may ever be of use: only as many of them work as there are batches under way.
    pub(super) fn threads(self) -> usize {
        match self {
            Workers::Threads(threads) => threads,
            Workers::Auto => {
                let cores = available_parallelism().map_or(1, NonZeroUsize::get);
                (cores / processes_here()).clamp(1, MOST)
            }
        }
    }

    /// What is wrong with the number, if anything.
    pub(super) fn mistake(self) -> Option<String> {
        match self {
            Workers::Threads(threads) if threads > MOST => {
                Some(format!("`workers` must be at most {MOST}, got {threads}"))
            }
            _ => None,
        }
    }
}

/// The processes of this run on this machine, as launchers tell it.
fn processes_here() -> usize {
    let told = std::env::var("LOCAL_WORLD_SIZE").ok().and_then(|told| told.parse().ok());
    told.unwrap_or(1).max(1)
}

impl Default for Workers {
    fn default() -> Self {
        Workers::Threads(0)
    }
}

impl From<usize> for Workers {
    fn from(threads: usize) -> Self {
        Workers::Threads(threads)
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Workers::Threads(threads) => write!(f, "{threads}"),
            Workers::Auto => f.write_str("Auto"),
        }
    }
}

impl Serialize for Workers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Workers::Threads(threads) => serializer.serialize_u64(*threads as u64),
            Workers::Auto => serializer.serialize_unit_variant("Workers", 0, "Auto"),
        }
    }
}

impl<'de> Deserialize<'de> for Workers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WorkersVisitor)
    }
}

struct WorkersVisitor;

impl Visitor<'_> for WorkersVisitor {
    type Value = Workers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`Auto` or a number from 0 to {MOST}")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Workers, E> {
        match name {
            "Auto" => Ok(Workers::Auto),
            _ => Err(E::custom(format!("`workers` is a number of threads from 0 to {MOST}, or `Auto`, got `{name}`"))),
        }
    }

    fn visit_u64<E: de::Error>(self, threads: u64) -> Result<Workers, E> {
        match usize::try_from(threads) {
            Ok(threads) if threads <= MOST => Ok(Workers::Threads(threads)),
            _ => Err(E::custom(format!("`workers` must be at most {MOST}, got {threads}"))),
        }
    }

    fn visit_i64<E: de::Error>(self, threads: i64) -> Result<Workers, E> {
        match u64::try_from(threads) {
            Ok(threads) => self.visit_u64(threads),
            Err(_) => Err(E::custom(format!("`workers` must be at least 0, got {threads}"))),
        }
    }
}

/// When one more batch ahead is worth it: after several that were not ready when they were wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    /// Of the last batches, those that were waited for.
    waited: u32,
    /// Batches since the number ahead has changed.
    batches: u32,
}

impl Waits {
    /// Notes a batch, with how many are made ahead; `true`: one more.
    pub(super) fn note(&mut self, waited: bool, ahead: u64) -> bool {
        self.batches = self.batches.saturating_add(1);
        // the first ones are waited for in any case
        if u64::from(self.batches) <= ahead {
            return false;
        }
        self.waited = if waited { self.waited + 1 } else { self.waited.saturating_sub(1) };
        let more = self.waited >= 4;
        if more {
            *self = Waits::default();
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_that_are_waited_for_again_and_again_ask_for_one_more_ahead() {
        let mut waits = Waits::default();
        let noted: Vec<bool> = (0..12).map(|_| waits.note(true, 2)).collect();
        // two that fill the queue, and four more
        assert_eq!(noted.iter().enumerate().filter(|(_, more)| **more).map(|(n, _)| n).collect::<Vec<_>>(), [5, 11]);
        // one of two is no reason
        let mut waits = Waits::default();
        assert!((0..100).all(|n| !waits.note(n % 2 == 0, 2)));
    }

    #[test]
    fn a_number_or_auto_is_read_and_printed() {
        let read = |text: &str| {
            let document = crate::config::parse_text("example", text).unwrap();
            document.read::<Workers>().map_err(|error| error.to_string())
        };
        for (text, workers) in [("3", Workers::Threads(3)), ("Auto", Workers::Auto), ("0", Workers::Threads(0))] {
            assert_eq!(read(text).unwrap(), workers);
            assert_eq!(crate::config::print_line(&crate::config::to_node(&workers).unwrap()), text);
        }
        assert!(read("257").unwrap_err().contains("`workers` must be at most 256, got 257"));
        assert!(read("-1").unwrap_err().contains("`workers` must be at least 0, got -1"));
        assert!(read("Many").unwrap_err().contains("a number of threads from 0 to 256, or `Auto`, got `Many`"));
        assert!(Workers::Auto.threads() >= 1);
        assert_eq!(Workers::from(3).threads(), 3);
    }
}
