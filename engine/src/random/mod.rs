//! Every random decision of the engine, as a function of (seed, tag, a, b).
//!
//! Promised: a [`Stream`] depends only on its four parts, never on other draws, on a thread or on the time. The same
//! parts give the same numbers with every version of every dependency, because every algorithm above the ChaCha8 block
//! function is written here and pinned by tests. So the order of a user's data does not change with an upgrade.
//!
//! Never: nothing here is global, and nothing uses libtorch's own generators.

mod draws;
mod permutation;
mod sample;
mod stream;

pub use draws::{WeightError, WeightTable, permutation, shuffle, weighted_draws};
pub use permutation::Permutation;
pub use sample::SampleRng;
pub use stream::{Stream, derive, tag_of};
