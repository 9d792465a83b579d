//! Bringing a checkpoint back: every byte is counted and hashed before the checkpoint gets its name.

use super::super::hashed_file::HashedFile;
use super::super::manifest::{self, Entry, Flaw};
use super::super::names::{MANIFEST, META};
use super::super::write::{put, temporary};
use super::super::{CheckpointError, FORMAT, Meta};
use super::MirrorError;
use super::store::Store;
use crate::base::disk::{DiskContext, make_folder, sync_folder};
use std::cmp::Ordering;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

/// The most bytes of a manifest or of `meta.ron`.
const LONGEST_TEXT: u64 = 4 << 20;

/// Brings the checkpoint below a key into a folder of checkpoints; gives back its path.
pub(super) fn checkpoint(store: &Store, key: &str, dir: &Path, name: &str) -> Result<PathBuf, MirrorError> {
    let damaged = |why: String| MirrorError::Damaged { address: store.address(&format!("{key}{MANIFEST}")), why };
    let text = text(store, &format!("{key}{MANIFEST}"))?;
    let entries = manifest::parse(&text).map_err(|flaw| match flaw {
        Flaw::Version(found) => {
            let path = PathBuf::from(store.address(key));
            MirrorError::Local(CheckpointError::Format { path, found, known: FORMAT })
        }
        Flaw::Damaged(why) => damaged(why.to_owned()),
    })?;
    make_folder(dir)?;
    let (target, folder) = (dir.join(name), temporary(dir, name));
    // what goes wrong in the storage is told as such, and not as an error of the disk
    let mut failed = None;
    let done = put(&folder, &target, || {
        let filled = fill(store, key, &folder, &entries, &text);
        filled.map_err(|error| match error {
            MirrorError::Local(error) => error,
            other => {
                let told = CheckpointError::State(other.to_string());
                failed = Some(other);
                told
            }
        })
    });
    match (done, failed) {
        (Ok(()), _) => Ok(target),
        (Err(_), Some(error)) => Err(error),
        (Err(error), None) => Err(error.into()),
    }
}

/// What a checkpoint says of itself, unverified; `None` when it can't be read.
pub(super) fn meta(store: &Store, key: &str) -> Result<Option<Meta>, MirrorError> {
    match text(store, &format!("{key}{META}")) {
        Ok(bytes) => Ok(std::str::from_utf8(&bytes).ok().and_then(|text| ron::from_str(text).ok())),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A short object.
pub(super) fn text(store: &Store, key: &str) -> Result<Vec<u8>, MirrorError> {
    let mut bytes = Vec::new();
    store.get(key)?.take(LONGEST_TEXT).read_to_end(&mut bytes).map_err(|error| broken(store, key, &error))?;
    Ok(bytes)
}

fn fill(store: &Store, key: &str, folder: &Path, entries: &[Entry], manifest: &[u8]) -> Result<(), MirrorError> {
    let mut folders = vec![folder.to_owned()];
    for entry in entries {
        let path = folder.join(&entry.name);
        for above in path.ancestors().skip(1).take_while(|above| *above != folder) {
            if !folders.iter().any(|known| known == above) {
                std::fs::create_dir_all(above).while_trying("make", above)?;
                folders.push(above.to_owned());
            }
        }
        file(store, &format!("{key}{}", entry.name), &path, entry)?;
    }
    let path = folder.join(MANIFEST);
    let write = || {
        let mut file = HashedFile::create(&path)?;
        file.write_all(manifest)?;
        file.finish().map(drop)
    };
    write().while_trying("write", &path)?;
    Ok(folders.iter().rev().try_for_each(|folder| sync_folder(folder))?)
}

/// One file, as the manifest says it is.
fn file(store: &Store, key: &str, path: &Path, entry: &Entry) -> Result<(), MirrorError> {
    let damaged = |why: String| MirrorError::Damaged { address: store.address(key), why };
    // a byte more than there should be is enough to know
    let mut object = store.get(key)?.take(entry.size.saturating_add(1));
    let mut file = HashedFile::create(path).while_trying("write", path)?;
    let mut slice = vec![0; 1 << 20];
    loop {
        let read = object.read(&mut slice).map_err(|error| broken(store, key, &error))?;
        if read == 0 {
            break;
        }
        file.write_all(&slice[..read]).while_trying("write", path)?;
    }
    let (size, hash) = file.finish().while_trying("write", path)?;
    match size.cmp(&entry.size) {
        Ordering::Less => Err(damaged(format!("it has {size} bytes, {} were written", entry.size))),
        Ordering::Greater => Err(damaged(format!("it has more than the {} bytes that were written", entry.size))),
        Ordering::Equal if hash == entry.hash => Ok(()),
        Ordering::Equal => Err(damaged("its content is not what was written".to_owned())),
    }
}

/// A connection that broke while an object was read.
fn broken(store: &Store, key: &str, error: &std::io::Error) -> MirrorError {
    MirrorError::Answer { address: store.address(key), doing: "read", why: error.to_string() }
}
