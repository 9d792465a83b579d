//! A run's state on disk. A checkpoint is written atomically, and verified before its content is used. A checkpoint is
//! a folder, `checkpoints/iter_000000123/` or a folder with a given name:
//!
//! | file | holds |
//! |---|---|
//! | `MODEL.safetensors` | the weights of one model that evaluations use, readable by other tools: what a score was measured with, and what is to be published |
//! | `MODEL.raw.safetensors` | the weights that are trained, where evaluations use others (an average) |
//! | `run/state.ron` | the tree of everything else that is the same on every rank; a tensor in it is named by its path |
//! | `run/state.safetensors` | the tensors of that tree, but those that a file of weights holds already |
//! | `ranks/0/state.ron`, `ranks/0/state.safetensors` | what this rank has of its own; one folder for each rank |
//! | `meta.ron` | [`Meta`], with the `version` of this layout |
//! | `manifest` | size and blake3 hash of every file above, sealed by its own hash; written last, by rank 0 |
//!
//! Promises: [`save`] makes the folder under a temporary name, syncs it, renames it, and writes the name
//! into the file `latest` last, so that a kill at any moment leaves every visible checkpoint complete. A state that is
//! kept under several names is written once; the others are hard links of its files, and [`complete`] makes those
//! that a kill has prevented. Loading checks kind, size and hash of every file it reads: a damaged file is an error that
//! names it, never wrong numbers. What was saved comes back exact to the bit, tensors on the CPU. The format adds no
//! clock time and no path of its own, so two equal snapshots are two equal folders.
//!
//! What is in the state, and when it is saved, is the business of others.

mod background;
mod copies;
mod delete;
mod error;
mod hashed_file;
mod host;
mod identity;
mod inspect;
mod kept;
mod manifest;
mod message;
#[cfg(feature = "s3")]
pub mod mirror;
mod mirror_url;
mod names;
mod pickled;
mod preprocessors;
mod read;
mod retain;
mod snapshot;
mod tensor_file;
mod tensors;
mod tree;
mod write;

pub use background::{Job, Saved, Saver};
pub use copies::Copies;
pub use delete::delete;
pub use error::CheckpointError;
pub use inspect::{Checkpoint, Measured};
pub use kept::Kept;
pub use message::{decode_state, encode_state};
pub use mirror_url::MirrorUrl;
pub use names::{FAILED, iter_name};
pub use preprocessors::{is_preprocessor, load_preprocessors, preprocessor_name, written_preprocessors};
pub use read::{Newest, is_counted, later_than, list, load, load_models, newest_valid, place_of};
pub use retain::{Deleted, Retention, clean, leave_behind, put_back, retain, set_aside};
pub use snapshot::{Meta, Snapshot, Variables, Weights};
pub use tensor_file::{TensorFile, TensorPlace, write_tensors};
pub use write::{check_weights, complete, save, set_latest};

pub(crate) use names::LATEST;
pub(crate) use read::{iter_at, latest_in, raw_beside};

/// The version of the layout on disk that this engine writes and reads.
///
/// | version | |
/// |---|---|
/// | 1 | cursors counted batches; weights as they were trained; the state in `state.ron` |
/// | 2 | cursors count samples; `MODEL.safetensors` holds the weights that evaluations use; a part for each rank |
pub const FORMAT: u32 = 2;

#[cfg(test)]
mod tests;
