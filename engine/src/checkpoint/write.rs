//! Writing one checkpoint: a temporary folder, every file synced, then one rename.

use super::tensors::{self, WriteError};
use super::{
    BEING_REPLACED, BEING_WRITTEN, CheckpointError, LATEST, MANIFEST, META, STATE_TENSORS, STATE_TREE, Snapshot,
    TENSORS, check_name, manifest, tree,
};
use crate::base::disk::{DiskContext, sync_folder, write_atomic};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Writes a checkpoint as `dir/name/` and names it in `dir/latest`; gives back its path.
///
/// One of that name is replaced. `dir` is made where it is missing.
///
/// ```
/// use engine::base::{Epoch, Iter, StateMap};
/// use engine::checkpoint::{self, Meta, Snapshot};
/// use tch::Tensor;
///
/// let mut state = StateMap::new();
/// state.put("best", &0.97);
/// let weights = vec![("weight".to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))];
/// let snapshot = Snapshot { meta: Meta::new(Epoch(1), Iter(20)), models: vec![("net".to_owned(), weights)], state };
///
/// let dir = tempfile::tempdir()?;
/// let path = checkpoint::save(dir.path(), &checkpoint::iter_name(Iter(20)), &snapshot)?;
/// assert!(path.ends_with("iter_000000020"));
///
/// let mut loaded = checkpoint::load(&path)?;
/// assert_eq!(loaded.meta.iter, Iter(20));
/// assert_eq!(loaded.state.take::<f64>("best")?, 0.97);
/// assert_eq!(Vec::<f32>::try_from(&loaded.models[0].1[0].1)?, [1.0, 2.0]);
/// # Ok::<(), engine::base::Error>(())
/// ```
///
/// # Errors
/// When a name is unfit, a tensor can't be saved, or a file operation fails. What was in `dir` before is then
/// still there; the new checkpoint is there whole, where only the writing of `latest` failed, or not at all.
pub fn save(dir: &Path, name: &str, snapshot: &Snapshot) -> Result<PathBuf, CheckpointError> {
    check_name("checkpoint", name)?;
    let mut models: Vec<&str> = snapshot.models.iter().map(|(model, _)| model.as_str()).collect();
    models.sort_unstable();
    models.iter().try_for_each(|model| check_name("model", model))?;
    if let Some(pair) = models.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(CheckpointError::Name { what: "model", name: pair[0].to_owned(), why: "is that of two models" });
    }
    std::fs::create_dir_all(dir).while_trying("make", dir)?;
    let temporary = dir.join(format!("{BEING_WRITTEN}{}-{name}", std::process::id()));
    let target = dir.join(name);
    let done = write_folder(&temporary, snapshot).and_then(|()| put_in_place(&temporary, &target));
    if let Err(error) = done {
        // best effort: what is left is cleaned at the next start
        let _ = std::fs::remove_dir_all(&temporary);
        return Err(error);
    }
    write_atomic(&dir.join(LATEST), format!("{name}\n").as_bytes())?;
    Ok(target)
}

/// Names the checkpoint that a run goes on from in `latest`, where a kill or a full disk has left another name.
///
/// # Errors
/// When the file can't be written.
pub fn set_latest(dir: &Path, checkpoint: &Path) -> Result<(), CheckpointError> {
    let name = checkpoint.file_name().unwrap_or_default().to_string_lossy();
    let file = dir.join(LATEST);
    match std::fs::read_to_string(&file) {
        Ok(latest) if latest.trim() == name => Ok(()),
        _ => Ok(write_atomic(&file, format!("{name}\n").as_bytes())?),
    }
}

fn write_folder(folder: &Path, snapshot: &Snapshot) -> Result<(), CheckpointError> {
    remove_folder(folder)?;
    std::fs::create_dir(folder).while_trying("make", folder)?;
    let mut entries = Vec::new();
    for (model, variables) in &snapshot.models {
        let variables: Vec<(&str, &Tensor)> = variables.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        entries.push(write_tensors(folder, &format!("{model}{TENSORS}"), &variables)?);
    }
    let (text, tensors) = tree::render(&snapshot.state).map_err(CheckpointError::State)?;
    let tensors: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), *tensor)).collect();
    entries.push(write_tensors(folder, STATE_TENSORS, &tensors)?);
    entries.push(write_text(folder, STATE_TREE, &text)?);
    let meta = ron::ser::to_string_pretty(&snapshot.meta, ron::ser::PrettyConfig::new().new_line("\n"));
    entries.push(write_text(folder, META, &meta.map_err(|error| CheckpointError::State(error.to_string()))?)?);
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    write_text(folder, MANIFEST, &manifest::render(&entries))?;
    Ok(sync_folder(folder)?)
}

/// Makes the finished folder visible. Where one of the name exists, a kill between the two renames leaves the
/// old one under a name from which [`clean`](super::clean) brings it back.
fn put_in_place(temporary: &Path, target: &Path) -> Result<(), CheckpointError> {
    let (dir, name) = match (target.parent(), target.file_name()) {
        (Some(dir), Some(name)) => (dir, name.to_string_lossy()),
        _ => (Path::new("."), target.to_string_lossy()),
    };
    let replaced = dir.join(format!("{BEING_REPLACED}{name}"));
    let exists = target.symlink_metadata().is_ok();
    if exists {
        remove_folder(&replaced)?;
        std::fs::rename(target, &replaced).while_trying("replace", target)?;
    }
    if let Err(error) = std::fs::rename(temporary, target).while_trying("write", target) {
        if exists {
            // best effort, and done again by `clean`
            let _ = std::fs::rename(&replaced, target);
        }
        return Err(error.into());
    }
    sync_folder(dir)?;
    if exists {
        remove_folder(&replaced)?;
    }
    Ok(())
}

fn write_text(folder: &Path, name: &str, text: &str) -> Result<manifest::Entry, CheckpointError> {
    let path = folder.join(name);
    let write = || {
        let mut file = HashedFile::create(&path)?;
        file.write_all(text.as_bytes())?;
        file.finish()
    };
    let (size, hash) = write().while_trying("write", &path)?;
    Ok(manifest::Entry { name: name.to_owned(), size, hash })
}

fn write_tensors(folder: &Path, name: &str, held: &[(&str, &Tensor)]) -> Result<manifest::Entry, CheckpointError> {
    let path = folder.join(name);
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
    Ok(manifest::Entry { name: name.to_owned(), size, hash })
}

fn duplicate<'a>(tensors: &[(&'a str, &Tensor)]) -> Option<&'a str> {
    let mut names: Vec<&str> = tensors.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// Removes a folder that may not be there.
fn remove_folder(path: &Path) -> Result<(), CheckpointError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(Err(error).while_trying("remove", path)?),
        _ => Ok(()),
    }
}

/// A file that knows its size and hash when it is finished.
struct HashedFile {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    size: u64,
}

impl HashedFile {
    fn create(path: &Path) -> io::Result<HashedFile> {
        let file = BufWriter::with_capacity(1 << 20, File::create_new(path)?);
        Ok(HashedFile { file, hasher: blake3::Hasher::new(), size: 0 })
    }

    /// Syncs it to the disk.
    fn finish(self) -> io::Result<(u64, blake3::Hash)> {
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok((self.size, self.hasher.finalize()))
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
