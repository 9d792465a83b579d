//! The error that crosses every public boundary of the engine.
//!
//! Modules have their own typed errors; they convert into [`Error`], which keeps them as its source, so that
//! a hook or a step can use `?` on anything and a caller can still ask what it was.

use crate::base::libtorch::plain;
use crate::base::lines::is_of_library;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use tch::TchError;

/// The result of everything that a user's code hands to the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error on its way out of a run: a text that says what, where and what to do, and its cause.
///
/// It is one pointer wide, so that a [`Result`] of a step or a hook is returned in a register.
///
/// ```
/// use engine::base::Error;
///
/// let error = Error::msg("no column is named `age`").context("can't read `people.csv`");
/// assert_eq!(error.to_string(), "can't read `people.csv`");
/// assert_eq!(format!("{error:#}"), "can't read `people.csv`: no column is named `age`");
/// assert_eq!(error.chain().len(), 2);
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    text: Option<String>,
    cause: Option<Cause>,
    /// Where `?` has met an error of libtorch, whose texts tell no line.
    place: Option<&'static Location<'static>>,
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

    /// Any typed error. One of libtorch is told with the line that has called this, or `?`.
    #[track_caller]
    pub fn new(source: impl StdError + Send + Sync + 'static) -> Self {
        // called by name: as a value, `Location::caller` would tell where Rust's library has called it
        let place = Location::caller();
        let told = (&source as &dyn StdError).is::<TchError>() && !is_of_library(place.file());
        let mut error = Error::of(None, Some(Cause::Typed(Box::new(source))));
        error.0.place = told.then_some(place);
        error
    }

    /// Says where it happened; the error so far becomes the cause.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> Self {
        Error::of(Some(text.into()), Some(Cause::Error(self)))
    }

    #[cold]
    fn of(text: Option<String>, cause: Option<Cause>) -> Self {
        Error(Box::new(Inner { text, cause, place: None }))
    }

    /// The typed error this one was made of, at any depth.
    ///
    /// ```
    /// use engine::base::Error;
    /// use std::io;
    ///
    /// let error = Error::new(io::Error::from(io::ErrorKind::NotFound)).context("can't open the data");
    /// let source: &io::Error = error.downcast_ref().unwrap();
    /// assert_eq!(source.kind(), io::ErrorKind::NotFound);
    /// ```
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match self.0.cause.as_ref()? {
            Cause::Error(error) => error.downcast_ref(),
            Cause::Typed(source) => source.downcast_ref(),
        }
    }

    /// The texts from the outermost to the cause; those of libtorch without its C++ frames.
    pub fn chain(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.0.text.iter().cloned().collect();
        match &self.0.cause {
            None => {}
            Some(Cause::Error(error)) => texts.extend(error.chain()),
            Some(Cause::Typed(source)) => {
                let mut next: Option<&(dyn StdError + 'static)> = Some(source.as_ref());
                while let Some(error) = next {
                    texts.push(plain(&error.to_string()).into_owned());
                    next = error.source();
                }
                if let (Some(place), Some(last)) = (self.0.place, texts.last_mut()) {
                    *last = format!("{last} (at {}:{})", place.file(), place.line());
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
    #[track_caller]
    fn from(error: E) -> Self {
        Error::new(error)
    }
}

/// Adds where it happened to a result.
///
/// ```
/// use engine::base::{ErrorContext as _, Result};
///
/// fn parse(line: usize, text: &str) -> Result<f32> {
///     text.parse::<f32>().with_context(|| format!("line {line} holds no number"))
/// }
/// assert_eq!(parse(1, "0.5").unwrap(), 0.5);
/// assert_eq!(format!("{:#}", parse(7, "x").unwrap_err()), "line 7 holds no number: invalid float literal");
/// ```
pub trait ErrorContext<T> {
    /// The error so far becomes the cause of `text`.
    fn context(self, text: impl Into<String>) -> Result<T>;
    /// As [`ErrorContext::context`]; the text is made only when there is an error.
    fn with_context(self, text: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> ErrorContext<T> for Result<T, E> {
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
    fn an_error_of_libtorch_tells_the_line_of_its_question_mark_when_that_is_the_users() {
        let ours: fn() -> Result<tch::Tensor> = || Ok(tch::Tensor::from_slice(&[1.0]).f_reshape([7])?);
        let text = format!("{:#}", ours().unwrap_err());
        // these lines are the engine's
        assert!(text.starts_with("shape '[7]' is invalid") && !text.contains("(at "), "{text}");
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }
}
