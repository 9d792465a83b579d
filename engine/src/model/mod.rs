//! Models: how they are built, chosen by a file, and what a run holds of them.

mod entry;
mod model;

pub use entry::{ModelEntry, ModelError, Models};
pub use model::{AnyModel, Model, ModelConfig, Net, NetPart, build_model};
