//! Datasets made of other datasets.
//!
//! Each is a dataset with settings of its own, so that the type of a loader says what it reads, `Loader<Subset<Digits>>`,
//! and the experiment file says how: `dataset: (dataset: (split: Train), fraction: 0.1)`. In Rust each has a `new`.

mod cached;
mod concat;
mod oversampled;
mod repeated;
mod subset;
mod told;

pub use cached::{Cached, CachedConfig, Kept};
pub use concat::{Concat, ConcatConfig};
pub use oversampled::{Oversampled, OversampledConfig};
pub use repeated::{Repeated, RepeatedConfig};
pub use subset::{Subset, SubsetConfig};
