//! Datasets without a length: records that can only be read one after the other.
//!
//! Promised: the batches of a stream are a function of (seed, loader name, position), as those of a
//! [`Dataset`](crate::data::Dataset) are: they are the same with any number of workers, several processes read the batches
//! of one with a larger `batch_size`, and a checkpoint holds where in the data the stream stands, so that a resumed run
//! reads again at most the records of one buffer.
//!
//! Never: no record is counted beforehand, and none that is not in a buffer is kept in memory.

mod collected;
mod config;
mod feed;
mod loader;
#[cfg(test)]
mod tests;
mod traits;

pub use collected::{Collected, CollectedConfig};
pub use config::StreamLoaderConfig;
pub use loader::StreamLoader;
pub use traits::{PlaceOf, RecordOf, RecordReader, RecordStream, Round};
