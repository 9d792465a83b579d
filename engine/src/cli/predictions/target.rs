//! The file of predictions while it is being written.

use crate::base::disk::{DiskContext as _, make_folder, parent, sync_folder};
use crate::base::temporary::{self, Temporary};
use crate::base::{Error, Result};
use std::io::{BufWriter, IntoInnerError};
use std::path::{Path, PathBuf};
use tch::Tensor;

/// A file under a temporary name until it is complete, and gone when it never is.
pub(super) struct Target {
    pub(super) open: BufWriter<Temporary>,
    pub(super) path: PathBuf,
}

impl Target {
    /// Opens the file.
    ///
    /// # Errors
    /// When it can't be made, or something is in its place that is no file.
    pub(super) fn create(path: &Path) -> Result<Self> {
        make_folder(parent(path))?;
        if path.is_dir() {
            return Err(Error::msg(format!("`{}` is a folder; give the path of the file to write", path.display())));
        }
        // a link stands for what it leads to, and what is no file is not replaced by one
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            return Err(Error::msg(format!(
                "`{}` is a device or pipe; give the path of the file to write",
                path.display()
            )));
        }
        // what a killed command has left of this file
        temporary::clean(parent(path), path.file_name().and_then(|name| name.to_str()));
        let file = Temporary::of(path).while_trying("write", path)?;
        Ok(Target { open: BufWriter::new(file), path: path.into() })
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

/// The samples of a tensor of a prediction; a 0-d one is of one sample.
pub(super) fn first_dimension(tensor: &Tensor) -> usize {
    tensor.size().first().map_or(1, |first| *first as usize)
}
