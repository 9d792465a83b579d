//! The files that commands write where their users say.
//!
//! One rule holds for all of them: a file that the command reads, and one that belongs to a run, a sweep or a checkpoint, is never
//! replaced. The folder is made when it is missing. Any other file that is there is replaced, once the new one is whole.

use crate::base::disk::{DiskContext as _, make_folder, parent, sync_folder};
use crate::base::temporary::{self, Temporary};
use crate::base::{Result, plain};
use crate::cli::failure::Failure;
use crate::folder::owner;
use std::io::{BufWriter, ErrorKind, IntoInnerError, Write as _};
use std::path::{Path, PathBuf};

/// Refuses the path of a file that must not be replaced; `inputs` are the files that the command reads.
///
/// # Errors
/// When it is one of the inputs, belongs to a run, a sweep or a checkpoint, or is no file at all.
pub(super) fn check(path: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    let shown = path.display();
    let refused = |why: String| Err(Failure::Usage(why));
    if path.file_name().is_none() || path.is_dir() {
        return refused(format!("`{shown}` is a folder; give the path of the file to write"));
    }
    if plain::check(path).is_err_and(|error| error.kind() == ErrorKind::InvalidInput) {
        return refused(format!("`{shown}` is a device or pipe; give the path of the file to write"));
    }
    check_owner(path, inputs)
}

/// Refuses the path of a file or folder that would take the place of an input, or of what belongs to a run, a sweep or a
/// checkpoint.
///
/// # Errors
/// When it would.
pub(super) fn check_owner(path: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    let (shown, place) = (path.display(), place(path));
    let refused = |why: String| Err(Failure::Usage(why));
    if inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == place)) {
        return refused(format!("`{shown}` can't be written: the command reads this file; write to another one"));
    }
    match owner(&place) {
        Some(owner) => refused(format!(
            "`{shown}` can't be written: it belongs to the {} in `{}`; write to another file",
            owner.what,
            owner.folder.display()
        )),
        None => Ok(()),
    }
}

/// Where a path leads, also when it or its folder is not there yet.
fn place(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| {
        let above_or_here = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        Some((above_or_here.canonicalize().ok()?, path.strip_prefix(above).ok()?))
    });
    match found {
        Some((there, rest)) if rest.as_os_str().is_empty() => there,
        Some((there, rest)) => there.join(rest),
        None => path.to_owned(),
    }
}

/// A file under a temporary name until it is complete, and gone when it never is.
pub(super) struct Target {
    pub(super) open: BufWriter<Temporary>,
    pub(super) path: PathBuf,
}

impl Target {
    /// Opens a file for which [`check`] has nothing to say, before the work that it is for: a place that can't be written to
    /// costs no work.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn create(path: &Path) -> Result<Self> {
        make_folder(parent(path))?;
        // a link stands for what it leads to
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        // what a killed command has left of this file
        temporary::clean(parent(path), path.file_name().and_then(|name| name.to_str()));
        let file = Temporary::of(path).while_trying("write", path)?;
        Ok(Target { open: BufWriter::new(file), path: path.into() })
    }

    /// Opens a file unless it must not be replaced.
    ///
    /// # Errors
    /// Those of [`check`] and [`create`](Self::create).
    pub(super) fn checked(path: &Path, inputs: &[PathBuf]) -> Result<Self, Failure> {
        check(path, inputs)?;
        Ok(Target::create(path)?)
    }

    /// Writes the whole content and gives the file its name.
    ///
    /// # Errors
    /// When it can't be brought to the disk.
    pub(super) fn write(mut self, content: &[u8]) -> Result<()> {
        self.open.write_all(content).while_trying("write", &self.path)?;
        self.finish()
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// When it can't be brought to the disk.
    pub(super) fn finish(self) -> Result<()> {
        let whole = self.open.into_inner().map_err(IntoInnerError::into_error);
        whole.and_then(Temporary::put_in_place).while_trying("write", &self.path)?;
        Ok(sync_folder(parent(&self.path))?)
    }
}
