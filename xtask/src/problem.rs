//! What went wrong, and what to do about it.
//!
//! Every failure of a chore is told in one sentence, and where a command mends it, that command is
//! named so that it can be copied. Nothing in here prints or exits: `main` does.

use std::fmt;

/// The result of every chore.
pub(crate) type Result<T> = std::result::Result<T, Problem>;

/// A failure, with the way out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    text: String,
    mend: Option<String>,
}

impl Problem {
    /// A failure described by `text`: lower case, no full stop.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), mend: None }
    }

    /// Names what mends it: a command to copy where there is one.
    pub(crate) fn mended_by(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// What went wrong, without the way out of it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What mends it, if something does.
    pub(crate) fn mend(&self) -> Option<&str> {
        self.mend.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.mend {
            Some(mend) => write!(f, "\n  to mend it: {mend}"),
            None => Ok(()),
        }
    }
}

/// Turns an error of the operating system into a [`Problem`] that says what was being done.
pub(crate) trait Doing<T> {
    /// `what` completes the sentence "cannot …": ``read `/etc/passwd` ``.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| {
            let problem = Problem::new(format!("cannot {}: {error}", what()));
            match error.kind() {
                std::io::ErrorKind::StorageFull => problem.mended_by("free some disk space"),
                _ => problem,
            }
        })
    }
}
