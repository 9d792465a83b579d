//! The error that crosses every public boundary of the engine.
//!
//! Modules have their own typed errors; they convert into [`Error`], which keeps them as its source, so that
//! a hook or a step can use `?` on anything and a caller can still ask what it was.

use std::error::Error as StdError;
use std::fmt;

/// The result of everything that a user's code hands to the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error on its way out of a run: a text that says what, where and what to do, and its cause.
///
/// It is one pointer wide, so that a [`Result`] of a step or a hook is returned in a register.
pub struct Error(Box<Inner>);

struct Inner {
    text: Option<String>,
    cause: Option<Cause>,
}

enum Cause {
    /// A module's own error, or one of another crate.
    Typed(Box<dyn StdError + Send + Sync>),
    /// What happened before its place was told.
    Error(Error),
}

impl Error {
    /// An error of one sentence: lower case, no full stop, the problem first, then what to do.
    pub fn msg(text: impl Into<String>) -> Self {
        Error::of(Some(text.into()), None)
    }

    /// Any typed error.
    pub fn new(source: impl StdError + Send + Sync + 'static) -> Self {
        Error::of(None, Some(Cause::Typed(Box::new(source))))
    }

    /// Says where it happened; the error so far becomes the cause.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> Self {
        Error::of(Some(text.into()), Some(Cause::Error(self)))
    }

    #[cold]
    fn of(text: Option<String>, cause: Option<Cause>) -> Self {
        Error(Box::new(Inner { text, cause }))
    }

    /// The typed error this one was made of, at any depth.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match self.0.cause.as_ref()? {
            Cause::Error(error) => error.downcast_ref(),
            Cause::Typed(source) => source.downcast_ref(),
        }
    }

    /// The texts from the outermost to the cause.
    pub fn chain(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.0.text.iter().cloned().collect();
        match &self.0.cause {
            None => {}
            Some(Cause::Error(error)) => texts.extend(error.chain()),
            Some(Cause::Typed(source)) => {
                let mut next: Option<&(dyn StdError + 'static)> = Some(source.as_ref());
                while let Some(error) = next {
                    texts.push(error.to_string());
                    next = error.source();
                }
            }
        }
        texts
    }
}

/// The first text alone; `{:#}` gives the whole chain in one line.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = self.chain();
        match f.alternate() {
            true => f.write_str(&chain.join(": ")),
            false => f.write_str(chain.first().map_or("unknown error", String::as_str)),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

/// `Error` itself does not implement `std::error::Error` (it could not convert from all of them then).
impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Error::new(error)
    }
}

/// Adds where it happened to a result.
pub trait Context<T> {
    /// The error so far becomes the cause of `text`.
    fn context(self, text: impl Into<String>) -> Result<T>;
    /// As [`Context::context`]; the text is made only when there is an error.
    fn with_context(self, text: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, text: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().context(text))
    }

    fn with_context(self, text: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.into().context(text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_runs_from_the_place_to_the_cause() {
        let missing = std::fs::read("/no/such/file").context("reading the data").context("opening `train`");
        let error = missing.unwrap_err();
        assert_eq!(error.chain().len(), 3);
        assert!(format!("{error:#}").starts_with("opening `train`: reading the data: No such file"));
        assert!(error.downcast_ref::<std::io::Error>().is_some());
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }
}
