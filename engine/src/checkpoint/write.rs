//! Writing one checkpoint: a temporary folder, every file synced, then one rename.

use super::hashed_file::HashedFile;
use super::names::{
    BEING_REPLACED, BEING_WRITTEN, FAILED, LATEST, MANIFEST, META, RAW, RUN, STATE_TENSORS, STATE_TREE, TENSORS,
    check_checkpoint, check_model, rank_folder,
};
use super::read::{files_of, latest_in, meta_of};
use super::retain::{make_way, remove};
use super::tensors::{self, WriteError};
use super::tree::{self, Elsewhere};
use super::{CheckpointError, Meta, Snapshot, Variables, Weights, manifest};
use crate::base::disk::{DiskContext, make_folder, sync_folder, write_atomic};
use crate::base::state::StateMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Writes a checkpoint as `dir/NAME/` and names it in `dir/latest`; gives back the paths, one for each name.
///
/// With several names the state is written once, under the first of them, and the others are hard links of its files (a
/// copy where the disk knows no links). `latest` tells the first. A checkpoint of such a name is replaced. `dir` is made
/// where it is missing.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot, Weights};
/// use tch::Tensor;
///
/// let mut state = StateMap::new();
/// state.put("best", &0.97);
/// let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
/// let models = vec![Weights::new("net", weights)];
/// let snapshot = Snapshot { meta: Meta::new(Epoch(1), Iter(20)), models, state, ranks: vec![StateMap::new()] };
///
/// let dir = tempfile::tempdir()?;
/// let path = checkpoint::save(dir.path(), &[checkpoint::iter_name(Iter(20))], &snapshot)?.remove(0);
/// assert!(path.ends_with("iter_000000020"));
///
/// let mut loaded = checkpoint::load(&path)?;
/// assert_eq!(loaded.meta.iter, Iter(20));
/// assert_eq!(loaded.state.take::<f64>("best")?, 0.97);
/// assert_eq!(Vec::<f32>::try_from(&loaded.models[0].trained[0].1)?, [1.0, 2.0]);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When a name is unfit, a tensor can't be saved, or a file operation fails. What was in `dir` before is then
/// still there; the new checkpoint is there whole, where only a further name or `latest` failed, or not at all.
pub fn save(dir: &Path, names: &[impl AsRef<str>], snapshot: &Snapshot) -> Result<Vec<PathBuf>, CheckpointError> {
    let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    prepare(dir, &names, snapshot)?;
    write(dir, &names, snapshot)
}

/// What of [`save`] comes before anything is written: looks at names, and makes the folder of the checkpoints.
pub(super) fn prepare(dir: &Path, names: &[String], snapshot: &Snapshot) -> Result<(), CheckpointError> {
    if names.is_empty() {
        return Err(CheckpointError::Name { what: "checkpoint", name: String::new(), why: "is missing" });
    }
    names.iter().try_for_each(|name| check_checkpoint(name))?;
    check_models(&snapshot.models)?;
    Ok(make_folder(dir)?)
}

/// [`save`] into a folder that is there. One that has been moved away meanwhile is not made again.
pub(super) fn write(dir: &Path, names: &[String], snapshot: &Snapshot) -> Result<Vec<PathBuf>, CheckpointError> {
    let Some(first) = names.first() else { return Ok(Vec::new()) };
    let meta = Meta { names: names.to_vec(), ranks: snapshot.ranks.len() as u32, ..snapshot.meta.clone() };
    let target = dir.join(first);
    let temporary = temporary(dir, first);
    put(&temporary, &target, || write_folder(&temporary, snapshot, &meta))?;
    if !first.starts_with(FAILED) {
        write_atomic(&dir.join(LATEST), format!("{first}\n").as_bytes())?;
    }
    names[1..].iter().try_for_each(|name| link(dir, &target, name))?;
    Ok(names.iter().map(|name| dir.join(name)).collect())
}

/// Gives a checkpoint the names that a killed process had no time for; gives back those paths.
///
/// # Errors
/// When the checkpoint can't be read, or a file operation fails.
pub fn complete(dir: &Path, checkpoint: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let Some(meta) = meta_of(checkpoint) else { return Ok(Vec::new()) };
    let mut made = Vec::new();
    for name in meta.names.iter().filter(|name| check_checkpoint(name).is_ok()) {
        let path = dir.join(name);
        let is_older = || meta_of(&path).is_none_or(|there| there.iter < meta.iter);
        if path != *checkpoint && is_older() {
            link(dir, checkpoint, name)?;
            made.push(path);
        }
    }
    Ok(made)
}

/// Names the checkpoint that a run goes on from in `latest`, where a kill or a full disk has left another name.
///
/// # Errors
/// When the file can't be written.
pub fn set_latest(dir: &Path, checkpoint: &Path) -> Result<(), CheckpointError> {
    let name = checkpoint.file_name().unwrap_or_default().to_string_lossy();
    let file = dir.join(LATEST);
    match latest_in(&file) {
        Some(latest) if latest == name => Ok(()),
        _ => Ok(write_atomic(&file, format!("{name}\n").as_bytes())?),
    }
}

/// Whether checkpoints can hold a model, to be asked before hours of training: its name, and each of its variables.
///
/// ```
/// use engine::checkpoint::check_weights;
/// use tch::{Device, Kind, Tensor};
///
/// let sparse = Tensor::zeros([2, 2], (Kind::Float, Device::Cpu)).to_sparse_sparse_dim(2);
/// let error = check_weights("net", &[("adjacency".to_owned(), sparse)]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the tensor `adjacency` can't be saved in `net.safetensors`: it is sparse or laid out for oneDNN; save it dense"
/// );
/// ```
///
/// # Errors
/// When the name is unfit, or no file can hold a variable; it is named.
pub fn check_weights(model: &str, variables: &[(String, Tensor)]) -> Result<(), CheckpointError> {
    check_model(model)?;
    variables.iter().try_for_each(|(name, tensor)| {
        let file = || format!("{model}{TENSORS}");
        tensors::check(name, tensor).map_err(|why| CheckpointError::Tensor { file: file(), name: name.clone(), why })
    })
}

fn check_models(models: &[Weights]) -> Result<(), CheckpointError> {
    let mut names: Vec<&str> = models.iter().map(|weights| weights.model.as_str()).collect();
    names.sort_unstable();
    names.iter().try_for_each(|name| check_model(name))?;
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            Err(CheckpointError::Name { what: "model", name: pair[0].to_owned(), why: "is that of two models" })
        }
        None => Ok(()),
    }
}

pub(super) fn temporary(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{BEING_WRITTEN}{}-{name}", std::process::id()))
}

/// Fills a temporary folder and puts it in its place.
pub(super) fn put(
    temporary: &Path,
    target: &Path,
    fill: impl FnOnce() -> Result<(), CheckpointError>,
) -> Result<(), CheckpointError> {
    let done = make_way(temporary).and_then(|()| {
        std::fs::create_dir(temporary).while_trying("make", temporary)?;
        fill()?;
        put_in_place(temporary, target)
    });
    if done.is_err() {
        // best effort: what is left is cleaned at the next start
        let _ = std::fs::remove_dir_all(temporary);
    }
    done
}

/// The same checkpoint under another name.
fn link(dir: &Path, checkpoint: &Path, name: &str) -> Result<(), CheckpointError> {
    let temporary = temporary(dir, name);
    put(&temporary, &dir.join(name), || link_files(checkpoint, &temporary))
}

/// Links the files that the checkpoint consists of, and nothing else that may lie in its folder.
pub(super) fn link_files(from: &Path, to: &Path) -> Result<(), CheckpointError> {
    let names = files_of(from)?;
    let mut folders = vec![to.to_owned()];
    for name in &names {
        let (source, copy) = (from.join(name), to.join(name));
        let above = copy.ancestors().skip(1).take_while(|folder| *folder != to);
        let mut missing: Vec<&Path> = above.filter(|folder| folders.iter().all(|known| known != folder)).collect();
        missing.reverse();
        for folder in missing {
            std::fs::create_dir(folder).while_trying("make", folder)?;
            folders.push(folder.to_owned());
        }
        if std::fs::hard_link(&source, &copy).is_err() {
            // a disk without links
            std::fs::copy(&source, &copy).while_trying("write", &copy)?;
            File::open(&copy).and_then(|file| file.sync_all()).while_trying("write", &copy)?;
        }
    }
    Ok(folders.iter().rev().try_for_each(|folder| sync_folder(folder))?)
}

fn write_folder(folder: &Path, snapshot: &Snapshot, meta: &Meta) -> Result<(), CheckpointError> {
    let mut files = Files { folder, entries: Vec::new() };
    let mut elsewhere = Elsewhere::default();
    for weights in &snapshot.models {
        files.weights(&format!("{}{TENSORS}", weights.model), weights.published(), &mut elsewhere)?;
        if weights.evaluated.is_some() {
            files.weights(&format!("{}{RAW}{TENSORS}", weights.model), &weights.trained, &mut elsewhere)?;
        }
    }
    files.state(RUN, &snapshot.state, &elsewhere)?;
    for (rank, part) in snapshot.ranks.iter().enumerate() {
        files.state(&rank_folder(rank), part, &Elsewhere::default())?;
    }
    let text = ron::ser::to_string_pretty(meta, ron::ser::PrettyConfig::new().new_line("\n"));
    files.text(META, &text.map_err(|error| CheckpointError::State(error.to_string()))?)?;
    files.entries.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest::render(&files.entries);
    files.text(MANIFEST, &manifest)?;
    Ok(sync_folder(folder)?)
}

/// The files of a checkpoint, as they are written.
struct Files<'a> {
    folder: &'a Path,
    entries: Vec<manifest::Entry>,
}

impl Files<'_> {
    fn weights(&mut self, file: &str, variables: &Variables, elsewhere: &mut Elsewhere) -> Result<(), CheckpointError> {
        let held: Vec<(&str, &Tensor)> = variables.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        held.iter().for_each(|(name, tensor)| elsewhere.add(tensor, file, name));
        self.tensors(file, &held)
    }

    /// A tree and its tensors, in a folder of their own.
    fn state(&mut self, inner: &str, state: &StateMap, elsewhere: &Elsewhere) -> Result<(), CheckpointError> {
        let folder = self.folder.join(inner);
        std::fs::create_dir_all(&folder).while_trying("make", &folder)?;
        let (text, tensors) = tree::render(state, elsewhere).map_err(CheckpointError::State)?;
        let tensors: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), *tensor)).collect();
        self.tensors(&format!("{inner}/{STATE_TENSORS}"), &tensors)?;
        self.text(&format!("{inner}/{STATE_TREE}"), &text)?;
        // every folder between: `ranks` too
        let mut inside = folder.ancestors().take_while(|folder| *folder != self.folder);
        Ok(inside.try_for_each(sync_folder)?)
    }

    fn text(&mut self, name: &str, text: &str) -> Result<(), CheckpointError> {
        let path = self.folder.join(name);
        let write = || {
            let mut file = HashedFile::create(&path)?;
            file.write_all(text.as_bytes())?;
            file.finish()
        };
        let (size, hash) = write().while_trying("write", &path)?;
        self.entries.push(manifest::Entry { name: name.to_owned(), size, hash });
        Ok(())
    }

    fn tensors(&mut self, name: &str, held: &[(&str, &Tensor)]) -> Result<(), CheckpointError> {
        let path = self.folder.join(name);
        if let Some(twice) = duplicate(held) {
            let why = "the name is that of two tensors; rename one".to_owned();
            return Err(CheckpointError::Tensor { file: name.to_owned(), name: twice.to_owned(), why });
        }
        let mut file = HashedFile::create(&path).while_trying("write", &path)?;
        match tensors::write(&mut file, held) {
            Ok(()) => {}
            Err(WriteError::Tensor { name: tensor, why }) => {
                return Err(CheckpointError::Tensor { file: name.to_owned(), name: tensor, why });
            }
            Err(WriteError::Io(error)) => Err(error).while_trying("write", &path)?,
        }
        let (size, hash) = file.finish().while_trying("write", &path)?;
        self.entries.push(manifest::Entry { name: name.to_owned(), size, hash });
        Ok(())
    }
}

/// Makes the finished folder visible. Where one of the name exists, a kill between the two renames leaves the
/// old one under a name from which [`put_back`](super::put_back) brings it back.
fn put_in_place(temporary: &Path, target: &Path) -> Result<(), CheckpointError> {
    let (dir, name) = match (target.parent(), target.file_name()) {
        (Some(dir), Some(name)) => (dir, name.to_string_lossy()),
        _ => (Path::new("."), target.to_string_lossy()),
    };
    let replaced = dir.join(format!("{BEING_REPLACED}{name}"));
    let exists = target.symlink_metadata().is_ok();
    if exists {
        make_way(&replaced)?;
        std::fs::rename(target, &replaced).while_trying("replace", target)?;
    }
    if let Err(error) = std::fs::rename(temporary, target).while_trying("write", target) {
        if exists {
            // best effort, and done again by `put_back`
            let _ = std::fs::rename(&replaced, target);
        }
        return Err(error.into());
    }
    sync_folder(dir)?;
    if exists {
        // best effort: the new one is in its place, and what is left of the old one is cleaned at the next start
        let _ = remove(&replaced);
    }
    Ok(())
}

fn duplicate<'a>(tensors: &[(&'a str, &Tensor)]) -> Option<&'a str> {
    let mut names: Vec<&str> = tensors.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
