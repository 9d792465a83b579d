//! A mirror of a run's checkpoints in object storage that speaks the protocol of S3.
//!
//! The objects of a checkpoint lie below `PREFIX/RUN/NAME/`, under the names of its files, so that a copy of this "folder" is
//! the checkpoint. Its manifest is written last and deleted first: without it the rest is not looked at. What is read is
//! verified as on the disk.
//!
//! Never: credentials are in no message, and neither are signed addresses.

mod credentials;
mod error;
mod fetch;
mod queue;
mod store;
mod upload;
mod uploads;

pub use error::MirrorError;
pub use uploads::Uploads;

use super::MirrorUrl;
use super::names::{MANIFEST, check_checkpoint, iter_of_name};
use crate::base::units::Iter;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use store::{Object, Store};

/// The mirror of one run.
pub struct Mirror {
    store: Store,
    /// What all keys begin with: `PREFIX/RUN/`.
    prefix: String,
}

/// The checkpoints in a mirror, by name, each with its objects: their keys within the checkpoint, and sizes.
type Listed = BTreeMap<String, Vec<(String, u64)>>;

impl Mirror {
    /// The mirror of the run of this name. Credentials are looked for, and nothing is sent.
    ///
    /// # Errors
    /// When there are no credentials, or no region.
    pub fn open(url: &MirrorUrl, run: &str) -> Result<Mirror, MirrorError> {
        let prefix = match url.prefix() {
            "" => format!("{run}/"),
            prefix => format!("{prefix}/{run}/"),
        };
        Ok(Mirror { store: Store::open(url.bucket())?, prefix })
    }

    /// The newest checkpoint that is whole there: its iter, by its name or by what it says of itself.
    ///
    /// # Errors
    /// When the storage can't be asked.
    pub fn newest(&self) -> Result<Option<Iter>, MirrorError> {
        let found = self.whole()?.into_iter().map(|(_, iter)| iter).max();
        Ok(found)
    }

    /// Downloads the newest checkpoint whose hashes fit into a folder of checkpoints, and all checkpoints that have another
    /// name than an iter, such as the best ones. Gives back what was brought, the newest first, and what is to be told.
    ///
    /// # Errors
    /// When the storage or the disk fails, and when there are checkpoints and none of them verifies.
    pub fn fetch(&self, dir: &Path) -> Result<(Vec<PathBuf>, Vec<String>), MirrorError> {
        let mut whole = self.whole()?;
        whole.sort_by_key(|(_, iter)| std::cmp::Reverse(*iter));
        let (mut brought, mut told): (Vec<PathBuf>, Vec<String>) = (Vec::new(), Vec::new());
        let mut last = None;
        for (name, _) in &whole {
            let by_iter = iter_of_name(name).is_some();
            if by_iter && !brought.is_empty() {
                continue;
            }
            match fetch::checkpoint(&self.store, &self.key(name), dir, name) {
                Ok(path) => brought.push(path),
                Err(error) if error.is_damage() => {
                    told.push(format!("warning: a checkpoint of the mirror can't be used: {error}"));
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match (brought.is_empty(), last) {
            (true, Some(error)) => Err(error),
            _ => Ok((brought, told)),
        }
    }

    /// The checkpoints that have a manifest, with their iters.
    fn whole(&self) -> Result<Vec<(String, Iter)>, MirrorError> {
        let mut found = Vec::new();
        for (name, objects) in self.list()? {
            if !objects.iter().any(|(object, _)| object == MANIFEST) {
                continue;
            }
            let iter = match iter_of_name(&name) {
                Some(iter) => iter,
                None => fetch::meta(&self.store, &self.key(&name))?.map(|meta| meta.iter).unwrap_or_default(),
            };
            found.push((name, iter));
        }
        Ok(found)
    }

    /// What lies in the mirror.
    fn list(&self) -> Result<Listed, MirrorError> {
        let mut listed = Listed::new();
        for Object { key, size } in self.store.list(&self.prefix)? {
            let Some((name, object)) = key.strip_prefix(&self.prefix).and_then(|key| key.split_once('/')) else {
                continue;
            };
            // what somebody else has put there is none of ours
            if check_checkpoint(name).is_ok() {
                listed.entry(name.to_owned()).or_default().push((object.to_owned(), size));
            }
        }
        Ok(listed)
    }

    /// What the keys of a checkpoint begin with.
    fn key(&self, name: &str) -> String {
        format!("{}{name}/", self.prefix)
    }
}

impl std::fmt::Display for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.store.bucket(), self.prefix.trim_end_matches('/'))
    }
}
