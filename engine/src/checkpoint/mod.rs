//! A run's state on disk: written whole or not at all, verified before a byte of it is believed.
//!
//! A checkpoint is a folder, `checkpoints/iter_000000123/` or one with a given name:
//!
//! | file | holds |
//! |---|---|
//! | `MODEL.safetensors` | the variables of one model, readable by other tools |
//! | `state.ron` | the tree of everything else; a tensor in it is named by its path |
//! | `state.safetensors` | the tensors of that tree |
//! | `meta.ron` | [`Meta`] |
//! | `manifest` | size and blake3 hash of every file above, sealed by its own hash |
//!
//! Promises: [`save`] makes the folder under a temporary name, syncs it, renames it, and writes the name
//! into the file `latest` last, so that a kill at any moment leaves every visible checkpoint complete. Loading
//! checks size and hash of every file it reads: a damaged file is an error that names it, never wrong
//! numbers. What was saved comes back exact to the bit, tensors on the CPU. The format adds no clock
//! time and no path of its own, so two equal snapshots are two equal folders.
//!
//! What is in the state, and when it is saved, is the business of others.

mod error;
mod manifest;
mod read;
mod retain;
mod tensors;
mod tree;
mod write;

use crate::base::state::StateMap;
use crate::base::units::{Epoch, Iter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::Tensor;

pub use error::CheckpointError;
pub use read::{Newest, list, load, load_models, newest_valid};
pub use retain::{clean, retain};
pub use write::{save, set_latest};

/// The version of the layout on disk that this engine writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The variables of one model, by name.
pub type Variables = Vec<(String, Tensor)>;

/// Everything that one checkpoint holds.
#[derive(Debug)]
pub struct Snapshot {
    /// Where the run stands.
    pub meta: Meta,
    /// The variables of every model, by the model's name. Loading gives models and variables sorted by name.
    pub models: Vec<(String, Variables)>,
    /// Everything else that influences the rest of the run.
    pub state: StateMap,
}

/// Where a run stood when a checkpoint was written, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The layout's version, [`FORMAT`].
    pub format: u32,
    /// The version of the engine that wrote it.
    pub engine: String,
    /// Finished epochs.
    pub epoch: Epoch,
    /// Finished iters.
    pub iter: Iter,
    /// Notes of the writer: the trainer's name, what a best value was.
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
}

impl Meta {
    /// This engine, now, without notes.
    pub fn new(epoch: Epoch, iter: Iter) -> Meta {
        Meta { format: FORMAT, engine: env!("CARGO_PKG_VERSION").to_owned(), epoch, iter, notes: BTreeMap::new() }
    }
}

/// The name of the checkpoint after so many iters: `iter_000000123`, so that names sort as iters do.
///
/// ```
/// use engine::base::Iter;
///
/// assert_eq!(engine::checkpoint::iter_name(Iter(123)), "iter_000000123");
/// ```
pub fn iter_name(iter: Iter) -> String {
    format!("iter_{:09}", iter.get())
}

/// The iter in a name made by [`iter_name`].
fn iter_of_name(name: &str) -> Option<Iter> {
    let digits = name.strip_prefix("iter_")?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(Iter)).flatten()
}

/// A checkpoint's or a model's name: a plain file name that no tool hides or misreads.
fn check_name(what: &'static str, name: &str) -> Result<(), CheckpointError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let why = match name {
        "" => "is empty",
        _ if name.starts_with('.') => "begins with a `.`",
        _ if !name.chars().all(plain) => "has other characters than letters, digits, `_`, `-` and `.`",
        LATEST | STATE => "is the name of a file of the engine's own",
        _ => return Ok(()),
    };
    Err(CheckpointError::Name { what, name: name.to_owned(), why })
}

/// The file beside checkpoints that names the one that was written last.
pub(crate) const LATEST: &str = "latest";
const STATE: &str = "state";
const STATE_TREE: &str = "state.ron";
const STATE_TENSORS: &str = "state.safetensors";
const META: &str = "meta.ron";
const MANIFEST: &str = "manifest";
const TENSORS: &str = ".safetensors";

/// How the name of a folder that is not yet, or no longer, a checkpoint begins.
const BEING_WRITTEN: &str = ".tmp-";
const BEING_REPLACED: &str = ".old-";
const BEING_DELETED: &str = ".gone-";

#[cfg(test)]
mod tests;
