//! What this project keeps for all checkouts of a user: libtorch, and the Python environments of peers.

use crate::problem::{Doing, Problem, Result};
use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The folder `name` in the user's cache, which may not be there yet: `~/.cache/engine/NAME`.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    // a relative XDG_CACHE_HOME is to be ignored, says the specification that names it
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache"));
    let cache = xdg.or_else(home).ok_or_else(|| {
        Problem::new("neither HOME nor XDG_CACHE_HOME says where your cache is")
            .mended_by("export XDG_CACHE_HOME=/some/folder")
    })?;
    Ok(cache.join("engine").join(name))
}

/// Makes the folder, and waits until no other set-up is at work in it. The lock is held as long as the file lives; when
/// its owner dies, the system opens it.
pub(crate) fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).doing(|| format!("create `{}`", folder.display()))?;
    let path = folder.join(".lock");
    let file = File::create(&path).doing(|| format!("create `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => eprintln!("==> waiting for another set-up to finish"),
        Err(TryLockError::Error(error)) => return Err(error).doing(|| format!("lock `{}`", path.display())),
    }
    file.lock().doing(|| format!("lock `{}`", path.display()))?;
    Ok(file)
}
