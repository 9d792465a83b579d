//! Writing one checkpoint into a mirror, and deleting old ones there.

use super::super::names::{MANIFEST, iter_of_name};
use super::super::read::Folder;
use super::super::{CheckpointError, Retention};
use super::{Listed, Mirror, MirrorError, fetch};
use crate::base::disk::DiskContext;
use std::collections::BTreeSet;
use std::path::Path;

impl Mirror {
    /// Writes the checkpoint in a local folder under a name: every file, and the manifest last. `done` are the files that an
    /// earlier try has written.
    pub(super) fn write(&self, folder: &Path, name: &str, done: &mut BTreeSet<String>) -> Result<(), MirrorError> {
        let entries = Folder::open(folder)?.entries;
        let path = folder.join(MANIFEST);
        let manifest = std::fs::read(&path).while_trying("read", &path)?;
        let (key, of_manifest) = (self.key(name), format!("{}{MANIFEST}", self.key(name)));
        if done.is_empty() {
            match fetch::text(&self.store, &of_manifest) {
                // nothing has changed since it was written
                Ok(there) if there == manifest => return Ok(()),
                Ok(_) => self.store.delete(&of_manifest)?,
                Err(MirrorError::Refused { status: 404, code, .. }) if code == "NoSuchKey" => {}
                Err(error) => return Err(error),
            }
        }
        for entry in &entries {
            if done.contains(&entry.name) {
                continue;
            }
            self.store.put_file(&format!("{key}{}", entry.name), &folder.join(&entry.name), entry.size)?;
            done.insert(entry.name.clone());
        }
        self.store.put(&of_manifest, &manifest)
    }

    /// Deletes what is no longer kept, once the checkpoint of this name is written: by the rule for the disk, what is of a later
    /// iter, for the run has left that behind, and what was never whole. `begun` are partly written and stay.
    pub(super) fn retain(
        &self,
        newest: &str,
        retention: Option<&Retention>,
        begun: &[String],
    ) -> Result<(), MirrorError> {
        let listed = self.list()?;
        for name in gone(&listed, newest, retention, begun) {
            let key = self.key(&name);
            // without its manifest it is no checkpoint, should the rest take longer
            self.store.delete(&format!("{key}{MANIFEST}"))?;
            for (object, _) in listed.get(&name).into_iter().flatten() {
                self.store.delete(&format!("{key}{object}"))?;
            }
        }
        Ok(())
    }
}

/// The names of what goes.
fn gone(listed: &Listed, newest: &str, retention: Option<&Retention>, begun: &[String]) -> Vec<String> {
    let is_whole =
        |name: &str| listed.get(name).is_some_and(|objects| objects.iter().any(|(object, _)| object == MANIFEST));
    let mut by_iter: Vec<_> = listed.keys().filter_map(|name| Some((iter_of_name(name)?, name))).collect();
    by_iter.sort_by(|a, b| b.cmp(a));
    let now = iter_of_name(newest);
    let (later, earlier): (Vec<_>, Vec<_>) =
        by_iter.into_iter().partition(|(iter, _)| now.is_some_and(|now| *iter > now));
    let mut gone: Vec<String> = later.into_iter().map(|(_, name)| name.clone()).collect();
    gone.extend(listed.keys().filter(|name| !is_whole(name)).cloned());
    if let Some(Retention { keep, protected }) = retention {
        let whole = earlier.into_iter().map(|(_, name)| name).filter(|name| is_whole(name));
        gone.extend(whole.skip(*keep).filter(|name| !protected.contains(name)).cloned());
    }
    gone.retain(|name| name != newest && !begun.contains(name));
    gone.sort();
    gone.dedup();
    gone
}

impl From<MirrorError> for CheckpointError {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::Local(error) => error,
            other => CheckpointError::Mirror(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str]) -> Listed {
        let objects = |name: &str| match name.strip_prefix('~') {
            Some(name) => (name.to_owned(), vec![("net.safetensors".to_owned(), 8)]),
            None => (name.to_owned(), vec![("net.safetensors".to_owned(), 8), (MANIFEST.to_owned(), 9)]),
        };
        names.iter().map(|name| objects(name)).collect()
    }

    #[test]
    fn the_newest_stay_and_the_protected_and_those_with_other_names() {
        let all = listed(&["best_val_loss", "iter_000000010", "iter_000000020", "iter_000000030", "iter_000000040"]);
        let retention = Retention { keep: 2, protected: vec!["iter_000000010".to_owned()] };
        assert_eq!(gone(&all, "iter_000000040", Some(&retention), &[]), ["iter_000000020"]);
        assert!(gone(&all, "iter_000000040", None, &[]).is_empty());
    }

    #[test]
    fn what_is_later_or_was_never_whole_goes() {
        let all = listed(&["~iter_000000010", "iter_000000020", "iter_000000030", "~best_val_loss"]);
        let retention = Retention { keep: 3, protected: Vec::new() };
        let expected = ["best_val_loss", "iter_000000010", "iter_000000030"];
        assert_eq!(gone(&all, "iter_000000020", Some(&retention), &[]), expected);
        // the best one says nothing of what comes later
        assert_eq!(gone(&all, "best_val_acc", Some(&retention), &[]), ["best_val_loss", "iter_000000010"]);
        // the rest of it is still to come
        let begun = ["best_val_loss".to_owned()];
        assert_eq!(gone(&all, "iter_000000030", None, &begun), ["iter_000000010"]);
    }
}
