//! What can be wrong with weights from elsewhere.

use crate::base::disk::DiskError;
use crate::checkpoint::CheckpointError;
use crate::model::ModelError;
use std::path::PathBuf;

/// Why weights could not be loaded or given away.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file of tensors or a checkpoint can't be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// libtorch failed on a model's tensors, or what was loaded does not fit them.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The path leads to nothing that holds weights.
    #[error("`{}` {why}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What it is, and what to do.
        why: String,
    },
    /// The index of a sharded file is not what it should be.
    #[error("the index `{}` {why}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The name of a model of the hub that is not in the local cache, or no name.
    #[error("`{name}` {why}")]
    Hub {
        /// The name.
        name: String,
        /// Where it was looked for, and what to do.
        why: String,
    },
    /// A file of several models, of which none has the name of the model.
    #[error("`{from}` holds weights of {held}, and none of `{model}`")]
    OfOtherModels {
        /// The file.
        from: String,
        /// The model.
        model: String,
        /// What it holds.
        held: String,
    },
    /// A rule of `rename` that can't be used.
    #[error("the rename `{pattern}` {why}")]
    Rename {
        /// Its place in the list.
        place: usize,
        /// The regular expression.
        pattern: String,
        /// Why not.
        why: String,
    },
    /// A pattern of `only` that fits nothing.
    #[error("the pattern `{pattern}` matches no variable of the model{hint}")]
    Only {
        /// Its place in the list.
        place: usize,
        /// The pattern.
        pattern: String,
        /// What could be meant.
        hint: String,
    },
    /// The names, shapes or kinds are not those of the model.
    #[error("the weights in {from} do not fit the model `{model}`: {what}")]
    Fit {
        /// The files.
        from: String,
        /// The model.
        model: String,
        /// What does not fit, and what to do.
        what: String,
    },
}

impl WeightsError {
    /// The field of the section that it is about, below `weights`: `rename.0`; empty for the section itself.
    pub fn field(&self) -> String {
        match self {
            WeightsError::Rename { place, .. } => format!("rename.{place}"),
            WeightsError::Only { place, .. } => format!("only.{place}"),
            WeightsError::Hub { .. } => "hf".to_owned(),
            WeightsError::Path { .. } | WeightsError::Checkpoint(CheckpointError::Pickled(_)) => "file".to_owned(),
            _ => String::new(),
        }
    }
}
