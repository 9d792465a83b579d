//! Reading checkpoints: nothing is parsed before its size and hash are those of the manifest.

use super::names::{
    BEING_REPLACED, DAMAGED, FAILED, LATEST, LEFT, MANIFEST, META, RAW, RUN, STATE_TENSORS, STATE_TREE, TENSORS,
    iter_of_name, rank_folder,
};
use super::pickled::is_pickled;
use super::tensor_file::TensorFile;
use super::tree::Place;
use super::{CheckpointError, FORMAT, Meta, Snapshot, Variables, Weights, manifest, tensors, tree};
use crate::base::disk::DiskContext;
use crate::base::plain;
use crate::base::state::StateMap;
use crate::base::units::Iter;
use std::io;
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Reads a whole checkpoint, its tensors on the CPU.
///
/// # Errors
/// When the folder is no checkpoint, was written in another format, or a file is missing, cut short or changed.
pub fn load(path: &Path) -> Result<Snapshot, CheckpointError> {
    let folder = Folder::open(path)?;
    let meta = folder.meta()?;
    let models = folder.models()?;
    let state = folder.state(RUN, &models)?;
    let ranks = (0..meta.ranks as usize).map(|rank| folder.state(&rank_folder(rank), &[]));
    let ranks = ranks.collect::<Result<_, _>>()?;
    Ok(Snapshot { meta, models, state, ranks })
}

/// Reads the weights that evaluations use, and nothing else: of a checkpoint, or of one bare `.safetensors` file, which
/// gives one model named as the file.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot, Weights};
/// use tch::Tensor;
///
/// let snapshot = |iter| {
///     let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     Snapshot { meta, models: vec![Weights::new("net", weights)], state: StateMap::new(), ranks: vec![StateMap::new()] }
/// };
/// let dir = tempfile::tempdir()?;
/// let path = checkpoint::save(dir.path(), &["best"], &snapshot(20))?.remove(0);
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
    if path.is_dir() {
        return Folder::open(path)?.published();
    }
    // only a header that accounts for every byte of the file is followed by weights
    let file = TensorFile::open(path)?;
    let variables = file.tensors().iter().filter(|place| file.is_weight(place));
    let variables = variables.map(|place| Ok((place.name.clone(), file.read(place)?)));
    let variables = variables.collect::<Result<Variables, CheckpointError>>()?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(vec![(name, variables)])
}

/// The file beside this one that has the trained weights of the same model, `net.raw.safetensors` beside `net.safetensors`;
/// `None` where there is none.
pub(crate) fn raw_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(TENSORS)?;
    let raw = path.with_file_name(format!("{name}{RAW}{TENSORS}"));
    raw.is_file().then_some(raw)
}

/// What [`newest_valid`] found.
#[derive(Debug, Default)]
pub struct Newest {
    /// The newest checkpoint that can be read; `None` when there is none in this program.
    pub found: Option<(PathBuf, Snapshot)>,
    /// Each newer one that can't be read, and why, newest first. To be shown: the run continues from further back.
    pub unusable: Vec<(PathBuf, CheckpointError)>,
}

/// The newest checkpoint in a folder that verifies, in the order of [`list`].
///
/// It does not depend on the file `latest`, which is older than the newest checkpoint when the run was killed
/// between the two.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot, Weights};
/// use tch::Tensor;
///
/// let snapshot = |iter| {
///     let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     Snapshot { meta, models: vec![Weights::new("net", weights)], state: StateMap::new(), ranks: vec![StateMap::new()] }
/// };
/// let dir = tempfile::tempdir()?;
/// checkpoint::save(dir.path(), &["iter_000000010"], &snapshot(10))?;
/// let damaged = checkpoint::save(dir.path(), &["iter_000000020"], &snapshot(20))?.remove(0);
/// std::fs::write(damaged.join("net.safetensors"), "")?;
///
/// let newest = checkpoint::newest_valid(dir.path())?;
/// assert_eq!(newest.found.unwrap().1.meta.iter, Iter(10));
/// assert!(newest.unusable[0].1.to_string().contains("net.safetensors"));
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When the folder can't be read, or there are checkpoints and none is valid: that must not become a silent
/// beginning from nothing. When one that is newer than all valid ones was written in another format: it is not damaged,
/// and going on from an older one would lose work without need.
pub fn newest_valid(dir: &Path) -> Result<Newest, CheckpointError> {
    let mut unusable = Vec::new();
    for path in list(dir)? {
        match load(&path) {
            Ok(snapshot) => return Ok(Newest { found: Some((path, snapshot)), unusable }),
            Err(error @ CheckpointError::Format { .. }) => return Err(error),
            Err(error) => unusable.push((path, error)),
        }
    }
    match unusable.len() {
        0 => Ok(Newest::default()),
        count => {
            let newest = Box::new(unusable.swap_remove(0).1);
            Err(CheckpointError::NoneValid { dir: dir.to_owned(), count, newest })
        }
    }
}

/// The checkpoints in a folder, valid or not, newest first: by finished iters, among equals the one that
/// `latest` names, then by name. Empty when the folder does not exist. Those that were set aside, or that a failed training
/// has left ([`FAILED`]), are not among them. One that was being replaced when the process was
/// killed is among them, where it lies now; [`put_back`](super::put_back) brings it to its place.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot, Weights};
/// use tch::Tensor;
///
/// let snapshot = |iter| {
///     let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
///     let meta = Meta::new(Epoch(0), Iter(iter));
///     Snapshot { meta, models: vec![Weights::new("net", weights)], state: StateMap::new(), ranks: vec![StateMap::new()] }
/// };
/// let dir = tempfile::tempdir()?;
/// for iter in [10, 30, 20] {
///     checkpoint::save(dir.path(), &[checkpoint::iter_name(Iter(iter))], &snapshot(iter))?;
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
    let latest = latest_in(&dir.join(LATEST)).unwrap_or_default();
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.while_trying("read", dir)?.path();
        let name = place_of(&path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && is_counted(Path::new(&name)) {
            found.push((iter_of(&path, &name), name == latest, name, path));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found.into_iter().map(|(_, _, _, path)| path).collect())
}

/// The checkpoints in a folder, as [`list`] has them, that are of a later iter.
///
/// # Errors
/// When the folder can't be read.
pub fn later_than(dir: &Path, iter: Iter) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut found = list(dir)?;
    found.retain(|path| iter_at(path) > iter);
    Ok(found)
}

/// The iter of a checkpoint, by what it says of itself or by its name: unverified.
pub(crate) fn iter_at(path: &Path) -> Iter {
    iter_of(path, &path.file_name().unwrap_or_default().to_string_lossy())
}

/// Whether a checkpoint is one of those that [`list`] finds, by its name.
pub fn is_counted(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ![".", DAMAGED, FAILED, LEFT].iter().any(|prefix| name.starts_with(prefix))
}

/// Where a checkpoint belongs that was being replaced when the process was killed; of all others the path itself.
pub fn place_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_prefix(BEING_REPLACED).map(|name| path.with_file_name(name)) {
        // once the new one is there, the old one is rubbish
        Some(place) if place.symlink_metadata().is_err() => place,
        _ => path.to_owned(),
    }
}

/// Only for the order: what a checkpoint says of itself goes before its name, which somebody may have changed; the name can be
/// read when the content can't, and what tells nothing comes last.
fn iter_of(path: &Path, name: &str) -> Iter {
    meta_of(path).map(|meta| meta.iter).or_else(|| iter_of_name(name)).unwrap_or_default()
}

/// What a checkpoint says of itself, unverified.
pub(super) fn meta_of(path: &Path) -> Option<Meta> {
    ron::from_str(&text_of(&path.join(META))?).ok()
}

/// The name in the file `latest` at this path; `None` when there is none, or something else has its place.
pub(crate) fn latest_in(file: &Path) -> Option<String> {
    Some(text_of(file)?.trim().to_owned())
}

/// The files that a checkpoint consists of, by their paths in it.
pub(super) fn files_of(path: &Path) -> Result<Vec<String>, CheckpointError> {
    let listed = Folder::open(path)?.entries.into_iter().map(|entry| entry.name);
    Ok(listed.chain([MANIFEST.to_owned()]).collect())
}

/// A short text, unverified; `None` when there is none, or something else has its name.
fn text_of(path: &Path) -> Option<String> {
    String::from_utf8(plain::read(path, LONGEST_TEXT).ok()?).ok()
}

/// The most bytes of a file that is read before its size is known from a manifest. A manifest has a line for each file,
/// of which there are a few for each model and rank.
const LONGEST_TEXT: u64 = 4 << 20;

/// A checkpoint whose manifest is whole.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    pub(super) entries: Vec<manifest::Entry>,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Folder, CheckpointError> {
        let file = path.join(MANIFEST);
        let damaged = |why: String| CheckpointError::Damaged { path: file.clone(), why };
        let bytes = match plain::read(&file, LONGEST_TEXT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_dir() => {
                return Err(CheckpointError::NoManifest(path.to_owned()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory && is_pickled(path) => {
                return Err(CheckpointError::Pickled(path.to_owned()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(CheckpointError::NoManifest(path.to_owned()));
            }
            Err(error) if plain::is_refused(&error) => return Err(damaged(error.to_string())),
            bytes => bytes.while_trying("read", &file)?,
        };
        let entries = manifest::parse(&bytes).map_err(|flaw| match flaw {
            manifest::Flaw::Version(found) => CheckpointError::Format { path: path.to_owned(), found, known: FORMAT },
            manifest::Flaw::Damaged(why) => damaged(why.to_owned()),
        })?;
        Ok(Folder { path: path.to_owned(), entries })
    }

    pub(super) fn meta(&self) -> Result<Meta, CheckpointError> {
        ron::from_str(&self.text(META)?).map_err(|error| self.damaged(META, error.to_string()))
    }

    /// The models that have a file of weights here.
    pub(super) fn model_names(&self) -> impl Iterator<Item = &str> {
        let files = self.entries.iter().map(|entry| entry.name.as_str()).filter(|name| !name.contains('/'));
        files.filter_map(|name| name.strip_suffix(TENSORS)).filter(|name| !name.ends_with(RAW))
    }

    fn models(&self) -> Result<Vec<Weights>, CheckpointError> {
        let models = self.model_names().map(|model| {
            let raw = format!("{model}{RAW}{TENSORS}");
            let published = self.tensors(&format!("{model}{TENSORS}"))?;
            Ok(match self.entries.iter().any(|entry| entry.name == raw) {
                true => Weights { evaluated: Some(published), ..Weights::new(model, self.tensors(&raw)?) },
                false => Weights::new(model, published),
            })
        });
        models.collect()
    }

    fn published(&self) -> Result<Vec<(String, Variables)>, CheckpointError> {
        let models = self.model_names().map(|name| Ok((name.to_owned(), self.tensors(&format!("{name}{TENSORS}"))?)));
        models.collect()
    }

    /// The tree in a folder.
    fn state(&self, inner: &str, models: &[Weights]) -> Result<StateMap, CheckpointError> {
        let (tree, tensors) = (format!("{inner}/{STATE_TREE}"), format!("{inner}/{STATE_TENSORS}"));
        let elsewhere = |place: &Place| find_weight(models, place);
        let read = tree::parse(&self.text(&tree)?, self.tensors(&tensors)?, elsewhere);
        read.map_err(|why| self.damaged(&tree, why))
    }

    pub(super) fn tensors(&self, name: &str) -> Result<Variables, CheckpointError> {
        tensors::parse(&self.bytes(name)?).map_err(|why| self.damaged(name, why))
    }

    pub(super) fn text(&self, name: &str) -> Result<String, CheckpointError> {
        String::from_utf8(self.bytes(name)?).map_err(|_| self.damaged(name, "it is not UTF-8 text".to_owned()))
    }

    /// The content of a file, verified.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| self.damaged(MANIFEST, format!("it does not list `{name}`")))?;
        let path = self.path.join(name);
        let bytes = match plain::read(&path, entry.size) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.damaged(name, "it is missing".to_owned()));
            }
            Err(error) if plain::is_refused(&error) => return Err(self.damaged(name, error.to_string())),
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

    pub(super) fn damaged(&self, name: &str, why: String) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.join(name), why }
    }
}

/// The tensor that a tree refers to in a file of weights.
fn find_weight(models: &[Weights], place: &Place) -> Option<Tensor> {
    let file = place.file.strip_suffix(TENSORS)?;
    let (model, raw) = match file.strip_suffix(RAW) {
        Some(model) => (model, true),
        None => (file, false),
    };
    let weights = models.iter().find(|weights| weights.model == model)?;
    let held = if raw { &weights.trained } else { weights.published() };
    held.iter().find(|(name, _)| *name == place.name).map(|(_, tensor)| tensor.shallow_clone())
}
