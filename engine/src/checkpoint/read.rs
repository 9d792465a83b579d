//! Reading checkpoints: nothing is parsed before its size and hash are those of the manifest.

use super::{
    CheckpointError, FORMAT, LATEST, MANIFEST, META, Meta, STATE_TENSORS, STATE_TREE, Snapshot, TENSORS, Variables,
    iter_of_name, manifest, tensors, tree,
};
use crate::base::disk::DiskContext;
use crate::base::units::Iter;
use std::io;
use std::path::{Path, PathBuf};

/// Reads a whole checkpoint, its tensors on the CPU.
///
/// # Errors
/// When the folder is no checkpoint, was written by a newer engine, or a file is missing, cut short or changed.
pub fn load(path: &Path) -> Result<Snapshot, CheckpointError> {
    let folder = Folder::open(path)?;
    let meta = folder.meta()?;
    let models = folder.models()?;
    let state_tensors = folder.tensors(STATE_TENSORS)?;
    let state = tree::parse(&folder.text(STATE_TREE)?, state_tensors).map_err(|why| folder.damaged(STATE_TREE, why))?;
    Ok(Snapshot { meta, models, state })
}

/// Reads the models alone, for evaluation: of a checkpoint, or of one bare `.safetensors` file, which gives
/// one model named as the file.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot};
/// use tch::Tensor;
///
/// let snapshot = |iter| {
///     let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     Snapshot { meta, models: vec![("net".to_owned(), weights)], state: StateMap::new() }
/// };
/// let dir = tempfile::tempdir()?;
/// let path = checkpoint::save(dir.path(), "best", &snapshot(20))?;
/// // the checkpoint, or one file of it
/// for path in [path.clone(), path.join("net.safetensors")] {
///     let models = checkpoint::load_models(&path)?;
///     assert_eq!((models[0].0.as_str(), models[0].1[0].0.as_str()), ("net", "weight"));
/// }
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// As [`load`]; the state is neither read nor verified. A bare file has no hash to be verified by.
pub fn load_models(path: &Path) -> Result<Vec<(String, Variables)>, CheckpointError> {
    if !path.is_file() {
        return Folder::open(path)?.models();
    }
    let bytes = std::fs::read(path).while_trying("read", path)?;
    let variables = tensors::parse(&bytes).map_err(|why| {
        let path = path.to_owned();
        match path.extension().is_some_and(|extension| extension == "safetensors") {
            true => CheckpointError::Damaged { path, why },
            false => CheckpointError::NoWeights { path, why },
        }
    })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(vec![(name, variables)])
}

/// What [`newest_valid`] found.
#[derive(Debug, Default)]
pub struct Newest {
    /// The newest checkpoint that can be read; `None` when there is none at all.
    pub found: Option<(PathBuf, Snapshot)>,
    /// What is wrong with each newer one, newest first. To be shown: the run continues from further back.
    pub warnings: Vec<CheckpointError>,
}

/// The newest checkpoint in a folder that verifies, in the order of [`list`].
///
/// It does not depend on the file `latest`, which is older than the newest checkpoint when the run was killed
/// between the two.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot};
/// use tch::Tensor;
///
/// let snapshot = |iter| {
///     let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     Snapshot { meta, models: vec![("net".to_owned(), weights)], state: StateMap::new() }
/// };
/// let dir = tempfile::tempdir()?;
/// checkpoint::save(dir.path(), "iter_000000010", &snapshot(10))?;
/// let damaged = checkpoint::save(dir.path(), "iter_000000020", &snapshot(20))?;
/// std::fs::write(damaged.join("net.safetensors"), "")?;
///
/// let newest = checkpoint::newest_valid(dir.path())?;
/// assert_eq!(newest.found.unwrap().1.meta.iter, Iter(10));
/// assert!(newest.warnings[0].to_string().contains("net.safetensors"));
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the folder can't be read, or there are checkpoints and none is valid: that must not become a silent
/// beginning from nothing.
pub fn newest_valid(dir: &Path) -> Result<Newest, CheckpointError> {
    let mut warnings = Vec::new();
    for path in list(dir)? {
        match load(&path) {
            Ok(snapshot) => return Ok(Newest { found: Some((path, snapshot)), warnings }),
            Err(error) => warnings.push(error),
        }
    }
    match warnings.len() {
        0 => Ok(Newest::default()),
        count => {
            let newest = Box::new(warnings.swap_remove(0));
            Err(CheckpointError::NoneValid { dir: dir.to_owned(), count, newest })
        }
    }
}

/// The checkpoints in a folder, valid or not, newest first: by finished iters, among equals the one that
/// `latest` names, then by name. Empty when the folder does not exist.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot};
/// use tch::Tensor;
///
/// let snapshot = |iter| {
///     let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     Snapshot { meta, models: vec![("net".to_owned(), weights)], state: StateMap::new() }
/// };
/// let dir = tempfile::tempdir()?;
/// for iter in [10, 30, 20] {
///     checkpoint::save(dir.path(), &checkpoint::iter_name(Iter(iter)), &snapshot(iter))?;
/// }
/// let names = checkpoint::list(dir.path())?;
/// assert!(names[0].ends_with("iter_000000030") && names[2].ends_with("iter_000000010"));
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the folder can't be read.
pub fn list(dir: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.while_trying("read", dir)?,
    };
    let latest = std::fs::read_to_string(dir.join(LATEST)).unwrap_or_default();
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.while_trying("read", dir)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') {
            found.push((iter_of(&path, &name), name == latest.trim(), name, path));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found.into_iter().map(|(_, _, _, path)| path).collect())
}

/// Only for the order: a name can be trusted when the content can't, and what tells nothing comes last.
fn iter_of(path: &Path, name: &str) -> Iter {
    let written = || {
        let text = std::fs::read_to_string(path.join(META)).ok()?;
        ron::from_str::<Meta>(&text).ok().map(|meta| meta.iter)
    };
    iter_of_name(name).or_else(written).unwrap_or_default()
}

/// A checkpoint whose manifest is whole.
struct Folder<'a> {
    path: &'a Path,
    entries: Vec<manifest::Entry>,
}

impl Folder<'_> {
    fn open(path: &Path) -> Result<Folder<'_>, CheckpointError> {
        let file = path.join(MANIFEST);
        let bytes = match std::fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_dir() => {
                return Err(CheckpointError::NoManifest(path.to_owned()));
            }
            bytes => bytes.while_trying("read", &file)?,
        };
        let entries = manifest::parse(&bytes).map_err(|flaw| match flaw {
            manifest::Flaw::Newer(found) => CheckpointError::Format { path: path.to_owned(), found, known: FORMAT },
            manifest::Flaw::Damaged(why) => CheckpointError::Damaged { path: file, why: why.to_owned() },
        })?;
        Ok(Folder { path, entries })
    }

    fn meta(&self) -> Result<Meta, CheckpointError> {
        ron::from_str(&self.text(META)?).map_err(|error| self.damaged(META, error.to_string()))
    }

    fn models(&self) -> Result<Vec<(String, Variables)>, CheckpointError> {
        let names = self.entries.iter().map(|entry| entry.name.as_str()).filter(|name| *name != STATE_TENSORS);
        let models = names.filter_map(|name| name.strip_suffix(TENSORS).map(|model| (model, name)));
        models.map(|(model, name)| Ok((model.to_owned(), self.tensors(name)?))).collect()
    }

    fn tensors(&self, name: &str) -> Result<Variables, CheckpointError> {
        tensors::parse(&self.bytes(name)?).map_err(|why| self.damaged(name, why))
    }

    fn text(&self, name: &str) -> Result<String, CheckpointError> {
        String::from_utf8(self.bytes(name)?).map_err(|_| self.damaged(name, "it is no text".to_owned()))
    }

    /// The content of a file, verified.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| self.damaged(MANIFEST, format!("it does not list `{name}`")))?;
        let path = self.path.join(name);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.damaged(name, "it is missing".to_owned()));
            }
            bytes => bytes.while_trying("read", &path)?,
        };
        if bytes.len() as u64 != entry.size {
            return Err(self.damaged(name, format!("it has {} bytes, {} were written", bytes.len(), entry.size)));
        }
        if blake3::hash(&bytes) != entry.hash {
            return Err(self.damaged(name, "its content is not what was written".to_owned()));
        }
        Ok(bytes)
    }

    fn damaged(&self, name: &str, why: String) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.join(name), why }
    }
}
