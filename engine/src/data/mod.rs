//! Data for steps: datasets, collating samples to batches, samplers, and the loader.
//!
//! Promised: the batches of a pass depend only on (seed, loader name, pass, position). So they are the same with any
//! number of workers, and a resumed run continues with the next batch without reading the earlier ones. Several processes
//! read the batches of one with a larger `batch_size`, each its own part of them. An error or a
//! panic in a dataset ends the run with an error that names the loader and the sample; nothing waits for a worker that
//! cannot answer.
//!
//! Never: nothing is drawn from a global generator, and no device is used before [`Batch::onto`] or
//! [`Source::transfer_to`] is called.

pub mod augment;
mod batch;
mod cases;
mod collate;
mod common_order;
mod config;
mod cursor;
mod dataset;
mod error;
mod facts;
pub mod files;
mod loader;
mod opened;
mod padding;
mod plan;
mod pool;
pub mod preprocess;
mod sampler;
mod share;
mod shared;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod transfer;
mod windows;
mod workers;
mod wrap;

pub(crate) use batch::checked_weight;
pub use batch::{Batch, BatchError, EachPart, Part, Rows, SharedField, StatedWeight, Whole, WholeField};
pub use cases::by_case;
pub use collate::{Collate, CollateError};
pub use common_order::CommonOrder;
pub use config::LoaderConfig;
pub use cursor::Cursor;
pub use dataset::{BatchOf, Dataset, SampleOf, Samples};
pub use engine_macros::Batch;
pub use error::DataError;
pub use facts::Facts;
pub use loader::Loader;
pub use padding::{Padded, Padding, Sequence};
pub use sampler::{
    ByLength, ClassBalanced, Fact, Infinite, Order, Pass, Population, Sampler, SamplerConfig, Sequential, Shuffled,
    Weighted,
};
pub(crate) use share::samples_of_rank;
pub use shared::SharedTensor;
pub use source::{BatchSource, Source};
pub use stream::{
    Collected, CollectedConfig, PlaceOf, RecordOf, RecordReader, RecordStream, Round, StreamLoader, StreamLoaderConfig,
};
pub use workers::Workers;
pub use wrap::{
    Cached, CachedConfig, Concat, ConcatConfig, Kept, Oversampled, OversampledConfig, Repeated, RepeatedConfig, Subset,
    SubsetConfig,
};
