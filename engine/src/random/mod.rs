//! Every random decision of the engine, as a function of (seed, tag, a, b).
//!
//! What is promised: a [`Stream`] depends on its four parts alone, never on what was drawn elsewhere, on a
//! thread or on the time; and the same parts give the same numbers with every version of every dependency,
//! because each algorithm above the ChaCha8 block function is written here and pinned by tests. The order of a
//! user's data therefore survives an upgrade.
//!
//! What never happens: nothing here is global, and nothing touches libtorch's own generators.

mod draws;
mod permutation;
mod sample;
mod stream;

pub use draws::{WeightError, WeightTable, permutation, shuffle, weighted_draws};
pub use permutation::Permutation;
pub use sample::SampleRng;
pub use stream::{Stream, derive, tag_of};
