//! What can go wrong with a checkpoint.

use super::pickled::conversion;
use crate::base::disk::DiskError;
use std::path::PathBuf;

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The name can't be that of a file.
    #[error("the {what} name `{name}` {why}; choose another name")]
    Name {
        /// `checkpoint` or `model`.
        what: &'static str,
        /// The name as given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A tensor that no safetensors file can hold.
    #[error("the tensor `{name}` can't be saved in `{file}`: {why}")]
    Tensor {
        /// The file it was to be written to.
        file: String,
        /// The variable's name, or the path in the state.
        name: String,
        /// Why not.
        why: String,
    },
    /// libtorch could not copy a tensor from its device.
    #[error("the tensor `{name}` can't be copied for a checkpoint: {why}")]
    Copy {
        /// The variable's name, or the path in the state.
        name: String,
        /// What libtorch said.
        why: String,
    },
    /// No thread could be started that writes.
    #[error(
        "no thread can be started that writes the checkpoint; `background: false` in `hooks.checkpoint` needs none"
    )]
    Thread {
        /// Why not.
        source: std::io::Error,
    },
    /// A copy in another place failed.
    #[error("{0}")]
    Mirror(String),
    /// A state that can't be written as text: nested too deeply.
    #[error("the state can't be saved: {0}")]
    State(String),
    /// The folder was never a checkpoint, or has lost its manifest.
    #[error("`{}` is not a checkpoint: it has no file `manifest`; name a folder such as `checkpoints/iter_000000123`", .0.display())]
    NoManifest(PathBuf),
    /// A file that holds no weights.
    #[error("`{}` is not a checkpoint: a file has to hold weights as `.safetensors` does ({why}); name one, or a checkpoint's or a run's folder", path.display())]
    NoWeights {
        /// The file.
        path: PathBuf,
        /// How it can be told.
        why: String,
    },
    /// A file of `torch.save`, whose format is a program for Python's unpickler.
    #[error("`{}` is a file of `torch.save` or a TorchScript program, which only Python can read safely; if it holds a state_dict, convert it once: {}", .0.display(), conversion(.0))]
    Pickled(PathBuf),
    /// A file is not what was written.
    #[error("`{}` is damaged: {why}; copy it again from where it came, or take an older checkpoint", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it can be told.
        why: String,
    },
    /// Written by an engine with another layout.
    #[error("`{}` has format {found}, and this engine reads format {known}: {}", path.display(), advice(*found, *known))]
    Format {
        /// The checkpoint.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that this engine reads.
        known: u32,
    },
    /// There are checkpoints, and none can be read.
    #[error("none of the {count} checkpoints in `{}` can be read; restore one from a copy, or begin anew with `--fresh`", dir.display())]
    NoneValid {
        /// The folder of the checkpoints.
        dir: PathBuf,
        /// How many there are.
        count: usize,
        /// What is wrong with the newest.
        #[source]
        newest: Box<CheckpointError>,
    },
}

impl CheckpointError {
    /// Whether the checkpoint itself is at fault, and not the disk or the version of the engine.
    pub fn is_damage(&self) -> bool {
        matches!(self, CheckpointError::Damaged { .. } | CheckpointError::NoManifest(_))
    }
}

/// What to do with a checkpoint of another format.
fn advice(found: u32, known: u32) -> &'static str {
    match found < known {
        true => {
            "go on with the engine that wrote it, or begin anew; its weights can still be used, name its `.safetensors` file"
        }
        false => "go on with the engine that wrote it, or a newer one",
    }
}
