//! Looking at a checkpoint without resuming from it: what it consists of, whether it is whole, what it was measured with.

use super::names::{RAW, RUN, STATE_TREE, TENSORS};
use super::read::Folder;
use super::{CheckpointError, Meta, Variables, tree};
use crate::base::plain;
use crate::base::units::Iter;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A checkpoint whose manifest is whole. What is read of it is verified when it is read.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Checkpoint, Meta, Snapshot, Weights};
/// use tch::Tensor;
///
/// let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
/// let meta = Meta::new(Epoch(1), Iter(20));
/// let models = vec![Weights::new("net", weights)];
/// let snapshot = Snapshot { meta, models, state: StateMap::new(), ranks: vec![StateMap::new()] };
/// let dir = tempfile::tempdir()?;
/// let path = checkpoint::save(dir.path(), &["best"], &snapshot)?.remove(0);
///
/// let found = Checkpoint::open(&path)?;
/// assert_eq!((found.meta()?.iter, found.models()), (Iter(20), vec!["net".to_owned()]));
/// assert!(found.damage().is_empty() && !found.has_raw("net"));
/// std::fs::write(path.join("net.safetensors"), "")?;
/// assert!(found.damage()[0].to_string().contains("net.safetensors` is damaged"));
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    folder: Folder,
}

/// What the run had measured when a checkpoint was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The latest values, under their monitored names.
    pub metrics: BTreeMap<String, f64>,
    /// After which iter the last validation was: the values are of these weights when it is the checkpoint's.
    pub validated_at: Option<Iter>,
}

impl Checkpoint {
    /// Reads the manifest.
    ///
    /// # Errors
    /// When the folder is not a checkpoint, has another format, or its manifest is damaged.
    pub fn open(path: &Path) -> Result<Checkpoint, CheckpointError> {
        Ok(Checkpoint { path: path.to_owned(), folder: Folder::open(path)? })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// When that file is damaged.
    pub fn meta(&self) -> Result<Meta, CheckpointError> {
        self.folder.meta()
    }

    /// Its files by their paths in it, each with its size in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.folder.entries.iter().map(|entry| (entry.name.as_str(), entry.size))
    }

    /// The size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files().map(|(_, bytes)| bytes).sum()
    }

    /// The hash of a file's content, as the manifest tells it.
    pub fn hash(&self, file: &str) -> Option<String> {
        self.folder.entries.iter().find(|entry| entry.name == file).map(|entry| entry.hash.to_hex().to_string())
    }

    /// Whether each file is there in its size, without reading any.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check_sizes(&self) -> Result<(), CheckpointError> {
        self.folder.entries.iter().try_for_each(|entry| {
            let why = match plain::check(&self.path.join(&entry.name)) {
                Ok(found) if found.len() == entry.size => return Ok(()),
                Ok(found) => format!("it has {} bytes, {} were written", found.len(), entry.size),
                Err(error) => error.to_string(),
            };
            Err(self.folder.damaged(&entry.name, why))
        })
    }

    /// Reads every file; gives what is wrong, file by file.
    pub fn damage(&self) -> Vec<CheckpointError> {
        let names: Vec<&str> = self.folder.entries.iter().map(|entry| entry.name.as_str()).collect();
        let mut found: Vec<CheckpointError> = names.iter().filter_map(|name| self.folder.bytes(name).err()).collect();
        if found.is_empty() {
            // what has the right hash was written so, and may still be of a program that wrote it wrong
            found.extend(super::load(&self.path).err());
        }
        found
    }

    /// The models whose weights it holds, sorted.
    pub fn models(&self) -> Vec<String> {
        self.folder.model_names().map(str::to_owned).collect()
    }

    /// Whether the trained weights of a model lie beside those that evaluations use.
    pub fn has_raw(&self, model: &str) -> bool {
        let raw = format!("{model}{RAW}{TENSORS}");
        self.files().any(|(name, _)| name == raw)
    }

    /// The weights of a model that evaluations use; with `raw` those that are trained.
    ///
    /// # Errors
    /// When there are none, or they are damaged.
    pub fn weights(&self, model: &str, raw: bool) -> Result<Variables, CheckpointError> {
        let between = if raw && self.has_raw(model) { RAW } else { "" };
        self.folder.tensors(&format!("{model}{between}{TENSORS}"))
    }

    /// The text in one of [`Checkpoint::files`].
    ///
    /// # Errors
    /// When it is damaged, or no text.
    pub(super) fn text(&self, file: &str) -> Result<String, CheckpointError> {
        self.folder.text(file)
    }

    /// The tensors in one of [`Checkpoint::files`].
    ///
    /// # Errors
    /// When it is damaged, or holds none.
    pub fn tensors(&self, file: &str) -> Result<Variables, CheckpointError> {
        self.folder.tensors(file)
    }

    /// What the run had measured.
    ///
    /// # Errors
    /// When the state is damaged.
    pub fn measured(&self) -> Result<Measured, CheckpointError> {
        let file = format!("{RUN}/{STATE_TREE}");
        let text = self.folder.text(&file)?;
        let read = || {
            let mut state = tree::parse_parts(&text, &["results", "clocks"])?;
            let wrong = |error: crate::base::state::StateError| error.to_string();
            let metrics = match state.0.contains_key("results") {
                true => state.take("results").map_err(wrong)?,
                false => BTreeMap::new(),
            };
            let validated_at = match state.0.contains_key("clocks") {
                true => state.take_map("clocks").and_then(|mut clocks| clocks.take("last_val")).map_err(wrong)?,
                false => None,
            };
            Ok(Measured { metrics, validated_at })
        };
        read().map_err(|why: String| self.folder.damaged(&file, why))
    }
}
