//! Metrics of found boxes.

mod matching;
mod mean_ap;
mod summary;

pub use mean_ap::MeanAp;
