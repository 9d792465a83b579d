//! `checkpoints rm`: deleting, but never by accident the last state of a run.

use super::list::id_of;
use super::text::bytes;
use crate::base::Error;
use crate::checkpoint::{self, Checkpoint};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::folder::{CHECKPOINTS, EXPERIMENT, Mode, RunFolder};
use std::path::{Path, PathBuf};

/// Deletes checkpoints of one run.
pub(super) fn remove(paths: &[PathBuf], last: bool) -> Result<(), Failure> {
    let refused = |path: &Path, why: &str| Failure::Usage(format!("`{}` {why}", path.display()));
    let mut given = Vec::new();
    for path in paths {
        let found = path.canonicalize().map_err(|error| refused(path, &format!("can't be read: {error}")))?;
        if !found.is_dir() || found.join(CHECKPOINTS).is_dir() {
            return Err(refused(path, "is not a checkpoint; name its folder, such as `checkpoints/iter_000000123`"));
        }
        given.push(found);
    }
    let Some(folder) = given[0].parent() else { return Err(refused(&given[0], "is not a checkpoint")) };
    if let Some(other) = given.iter().find(|path| path.parent() != Some(folder)) {
        return Err(refused(other, "is not of the same run as the first; delete those of one run at a time"));
    }
    let all = checkpoint::list(folder).map_err(Error::from)?;
    // any other folder may be called so, and a damaged checkpoint may have lost its manifest
    let is_of_run = folder.ends_with(CHECKPOINTS) && folder.with_file_name(EXPERIMENT).is_file();
    let has_manifest = |path: &Path| path.join("manifest").symlink_metadata().is_ok();
    if let Some(other) = given.iter().find(|path| !is_of_run && !has_manifest(path)) {
        return Err(refused(other, "is not a checkpoint of a run; delete it with `rm`"));
    }
    // nobody writes here meanwhile
    let _lock = lock(folder)?;
    let mut left = all.iter().filter(|path| !given.contains(path));
    if !last && !left.any(|path| is_good(path)) && given.iter().any(|path| is_good(path)) {
        let what = "would leave the run without a checkpoint that can be read; `--last` deletes it all the same";
        return Err(Failure::Usage(format!("deleting `{}` {what}", names(&given))));
    }
    for path in &given {
        let size = Checkpoint::open(path).map(|checkpoint| checkpoint.bytes());
        let size = size.map_or_else(|_| String::new(), |size| format!(", {}", bytes(size)));
        // one state may have several names, which share its files
        let id = id_of(path);
        let others = all.iter().filter(|other| id.is_some() && !given.contains(other) && id_of(other) == id);
        let others: Vec<PathBuf> = others.cloned().collect();
        checkpoint::delete(path).map_err(Error::from)?;
        match others.is_empty() {
            true => out::line(format_args!("deleted {}{size}", path.display()))?,
            false => out::line(format_args!(
                "deleted the name {}; its files{size}, stay as `{}`",
                path.display(),
                names(&others)
            ))?,
        }
    }
    Ok(())
}

/// The lock of the run that a folder of checkpoints belongs to; `None` when it is of none.
fn lock(checkpoints: &Path) -> Result<Option<RunFolder>, Failure> {
    let run = checkpoints.parent().filter(|_| checkpoints.ends_with(CHECKPOINTS));
    let named = run.and_then(|run| Some((run.parent()?, run.file_name()?.to_str()?)));
    match named {
        Some((work_dir, name)) => Ok(Some(RunFolder::create(work_dir, name, Mode::Resume).map_err(Error::from)?)),
        None => Ok(None),
    }
}

fn is_good(path: &Path) -> bool {
    Checkpoint::open(path).is_ok_and(|checkpoint| checkpoint.damage().is_empty())
}

fn names(paths: &[PathBuf]) -> String {
    let names = paths.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join("`, `")
}
