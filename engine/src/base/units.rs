//! The clocks, as types, so that an interval in epochs is never compared with a count of iters.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Add;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The count as a number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The next count.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl Add<u64> for $name {
            type Output = Self;
            fn add(self, n: u64) -> Self {
                Self(self.0 + n)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    };
}

unit!(
    /// A count of batches: items of a loader.
    Batch, "batch");
unit!(
    /// A count of iters: an iter is one optimizer update of `accumulate` batches.
    Iter, "iter");
unit!(
    /// A count of epochs: an epoch is one pass of the train loader; with `by_iter`, the whole training.
    Epoch, "epoch");

/// The clock in which a setting is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Clock {
    /// Passes of the train loader.
    Epoch,
    /// Optimizer updates.
    Iter,
    /// Samples of the train loader. Each update counts as many as its full batches have.
    Sample,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Clock::Epoch => "epoch",
            Clock::Iter => "iter",
            Clock::Sample => "sample",
        })
    }
}
