//! `files.json`: what a sweep is made of, as it was when the sweep began.
//!
//! It has the texts of the sweep file, the base, and all that they are based on or include. A sweep that is gone on with, and its
//! table, read these texts and not the files, which may have been edited, moved or deleted since.

use crate::base::{Error, ErrorContext as _, Result};
use crate::cli::sweep::journal::JOURNAL;
use crate::config::Texts;
use crate::folder::write_atomic;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file's name in the folder of a sweep.
const FILES: &str = "files.json";
/// The sweep file, for people and for the page of runs.
pub(super) const COPY: &str = "sweep.ron";

/// The files of a sweep.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Files {
    /// Where the sweep began: names are relative to it.
    from: PathBuf,
    /// The sweep file's name.
    sweep: PathBuf,
    texts: Texts,
}

impl Files {
    /// The files of a sweep that begins now.
    pub(super) fn new(sweep: &Path, texts: Texts) -> Result<Files> {
        let from = std::env::current_dir().context("the current folder can't be found")?;
        Ok(Files { from, sweep: sweep.to_owned(), texts })
    }

    /// Whether a folder has them.
    pub(super) fn are_in(folder: &Path) -> bool {
        folder.join(FILES).is_file()
    }

    /// Reads those of a sweep that has begun. Their names are such as lead to the files from the current folder.
    ///
    /// # Errors
    /// When they are not there, or were changed by somebody.
    pub(super) fn read(folder: &Path) -> Result<Files> {
        let path = folder.join(FILES);
        let help = "it holds the files that the trials are made of; put it back, or begin again under another `name`";
        let bytes = std::fs::read(&path).with_context(|| format!("`{}` can't be read: {help}", path.display()))?;
        let files: Files = serde_json::from_slice(&bytes)
            .map_err(|error| Error::msg(format!("`{}` can't be read: {error}: {help}", path.display())))?;
        if std::env::current_dir().is_ok_and(|here| here == files.from) {
            return Ok(files);
        }
        let named = |name: &str| files.from.join(name).display().to_string();
        let texts = files.texts.iter().map(|(name, text)| (named(name), text.clone())).collect();
        Ok(Files { sweep: files.from.join(&files.sweep), texts, from: files.from })
    }

    /// Writes them, and the copy of the sweep file beside them.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).context("the files of the sweep can't be written as JSON")?;
        write_atomic(&folder.join(FILES), &text)?;
        Ok(write_atomic(&folder.join(COPY), self.sweep_text().unwrap_or_default().as_bytes())?)
    }

    pub(super) fn sweep(&self) -> &Path {
        &self.sweep
    }

    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }

    fn sweep_text(&self) -> Option<&str> {
        self.texts.get(&self.sweep.display().to_string()).map(String::as_str)
    }

    /// Takes another text of the sweep file.
    pub(super) fn set_sweep(&mut self, text: String) {
        self.texts.insert(self.sweep.display().to_string(), text);
    }

    /// The files besides the sweep file that are others now, or can't be read.
    pub(super) fn changed(&self) -> Vec<&str> {
        let sweep = self.sweep.display().to_string();
        let others = self.texts.iter().filter(|(name, _)| **name != sweep);
        let changed = others.filter(|(name, text)| {
            let now = std::fs::read_to_string(self.from.join(name));
            // a byte order mark is no part of what was read
            !now.is_ok_and(|now| now.strip_prefix('\u{feff}').unwrap_or(&now) == text.as_str())
        });
        changed.map(|(name, _)| name.as_str()).collect()
    }
}

/// Whether a sweep has begun in a folder.
pub(super) fn has_begun(folder: &Path) -> bool {
    folder.join(JOURNAL).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_from_anywhere_and_a_file_that_has_changed_is_named() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let from = elsewhere.path().canonicalize().unwrap();
        let texts = [("w.ron", "Sweep()"), ("exp.ron", "()"), ("gone.ron", "()"), ("edited.ron", "(a: 1)")];
        let texts: Texts = texts.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        std::fs::write(from.join("exp.ron"), "\u{feff}()").unwrap();
        std::fs::write(from.join("edited.ron"), "(a: 2)").unwrap();
        let files = Files { from: from.clone(), sweep: "w.ron".into(), texts };
        files.write(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join(COPY)).unwrap(), "Sweep()");
        let mut read = Files::read(folder.path()).unwrap();
        assert_eq!(read.sweep(), from.join("w.ron"));
        let name = |name: &str| from.join(name).display().to_string();
        assert_eq!(read.changed(), [name("edited.ron"), name("gone.ron")]);
        read.set_sweep("Sweep(a: 1)".to_owned());
        read.write(folder.path()).unwrap();
        assert_eq!(Files::read(folder.path()).unwrap().texts()[&name("w.ron")], "Sweep(a: 1)");
        std::fs::write(folder.path().join(FILES), "{").unwrap();
        assert!(Files::read(folder.path()).unwrap_err().to_string().contains("put it back"));
    }
}
