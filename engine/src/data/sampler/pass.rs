//! One pass over the data.

use crate::random::Stream;

/// One pass over the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The loader's own seed.
    pub seed: u64,
    /// Which pass, from 0.
    pub number: u64,
}

impl Pass {
    /// The random bits of this pass.
    pub fn stream(&self) -> Stream {
        Stream::new(self.seed, "order", self.number, 0)
    }
}
