//! A sweep that has begun: where it is, and what of its file may have changed since.

use crate::base::{ErrorContext as _, Result};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::sweep::file::{Sweep, trials};
use crate::cli::sweep::files::{COPY, Files, has_begun};
use crate::cli::sweep::written::Written;
use crate::config::{ConfigErrors, Diagnostic, Node, Span};
use crate::trainer::Build;
use std::path::{Path, PathBuf};

/// Where runs are when the base does not say it.
const WORK_DIR: &str = "runs";

/// A sweep that has begun.
pub(super) struct Begun {
    folder: PathBuf,
    files: Files,
    /// The sweep file as it is now; the folder of a sweep needs none.
    now: Option<(PathBuf, Written)>,
}

impl Begun {
    /// The sweep that a sweep file has begun, or that is in a folder.
    ///
    /// # Errors
    /// When it is not known where it would be.
    pub(super) fn find<T: Build>(path: &Path) -> Result<Option<Begun>, Failure> {
        if path.is_dir() && Files::are_in(path) {
            let folder = std::path::absolute(path).with_context(|| format!("`{}` can't be read", path.display()))?;
            return Ok(Some(Begun { files: Files::read(&folder)?, folder, now: None }));
        }
        let written = Written::read(path, None)?;
        let name = written.said.name.clone();
        // the base says it; where it is gone or broken, a sweep that began with it is where runs are by default
        let folder = match Sweep::new::<T>(Written::read(path, None)?, path, None) {
            Ok(sweep) => sweep.work_dir.join(&name),
            Err(errors) => {
                let folder =
                    std::path::absolute(Path::new(WORK_DIR).join(&name)).context("there is no current folder")?;
                if !has_begun(&folder) {
                    return Err(errors.into());
                }
                folder
            }
        };
        match has_begun(&folder) {
            true => Ok(Some(Begun { files: Files::read(&folder)?, folder, now: Some((path.to_owned(), written)) })),
            false => Ok(None),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The sweep as it began.
    pub(super) fn sweep<T: Build>(&self) -> Result<Sweep, Failure> {
        let before = self.before()?;
        if let Some((path, now)) = &self.now
            && !now.other_trials(&before.said).is_empty()
        {
            out::error_line(format_args!(
                "`{}` has changed since the sweep began; this is the sweep as it was",
                path.display()
            ));
        }
        self.put_over_base::<T>(before)
    }

    /// The sweep with what may change of it: the number of trials, and how many run at a time. It is noted in its folder, which this
    /// process holds. So many trials have `begun`.
    ///
    /// # Errors
    /// When the sweep file makes other trials now, or fewer than have begun.
    pub(super) fn changed_sweep<T: Build>(&mut self, begun: usize) -> Result<Sweep, Failure> {
        let before = self.before()?;
        let now = self.now.take();
        if let Some((_, now)) = &now {
            self.refuse_other_trials(&before, now)?;
        }
        let mut sweep = self.put_over_base::<T>(before)?;
        if let Some((_, now)) = now {
            let at = now.document.root.get("by");
            sweep.trials = trials(now.said.by, &sweep.space, at)
                .and_then(|trials| enough(trials, begun, at))
                .map_err(|mistake| ConfigErrors::new(now.document.sources.clone(), vec![*mistake]))?;
            (sweep.by, sweep.parallel) = (now.said.by, now.said.parallel);
            let text = now.document.sources.all().next().map(|(_, text)| text.to_owned());
            self.files.set_sweep(text.unwrap_or_default());
            self.files.write(&self.folder)?;
        }
        for file in self.files.changed() {
            out::error_line(format_args!(
                "`{file}` is not what it was when the sweep began; the sweep goes on with its own copy of it"
            ));
        }
        sweep.try_values::<T>()?;
        Ok(sweep)
    }

    fn refuse_other_trials(&self, before: &Written, now: &Written) -> Result<(), ConfigErrors> {
        let copy = self.folder.join(COPY);
        let help = format!("`{}` is what it was; put that back, or give the new one another `name`", copy.display());
        let wrong: Vec<Diagnostic> =
            now.other_trials(&before.said).into_iter().map(|found| found.help(&help)).collect();
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(ConfigErrors::new(now.document.sources.clone(), wrong)),
        }
    }

    /// The sweep file as it was saved.
    fn before(&self) -> Result<Written, ConfigErrors> {
        Written::read(self.files.sweep(), Some(self.files.texts()))
    }

    fn put_over_base<T: Build>(&self, before: Written) -> Result<Sweep, Failure> {
        let mut sweep = Sweep::new::<T>(before, self.files.sweep(), Some(self.files.texts()))?;
        // where it is, wherever that is from here
        if let (Some(work_dir), Some(name)) = (self.folder.parent(), self.folder.file_name()) {
            (sweep.work_dir, sweep.name) = (work_dir.to_owned(), name.to_string_lossy().into_owned());
        }
        Ok(sweep)
    }
}

/// Refuses fewer trials than have begun.
fn enough(trials: usize, begun: usize, at: Option<&Node>) -> Result<usize, Box<Diagnostic>> {
    if trials >= begun {
        return Ok(trials);
    }
    let message = format!("expected at least {begun} trials, which have begun already, got {trials}");
    Err(Box::new(Diagnostic::new(at.map_or(Span::NONE, Node::head), message).at("by")))
}
