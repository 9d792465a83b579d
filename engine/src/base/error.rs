//! The error type of the engine's public functions.
//!
//! Modules have their own typed errors. They convert into [`Error`], which keeps them as its source. So a hook or a
//! step can use `?` on any error, and a caller can still get the typed error.

use crate::base::libtorch::plain;
use crate::base::lines::is_of_library;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use tch::TchError;

/// The result type of the methods that a user implements, such as steps and hooks.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends a run: a text that says what happened, where, and what to do, with its cause.
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

    /// Wraps any typed error. For an error of libtorch, the message also has the line that called this function or
    /// used `?`.
    #[track_caller]
    pub fn new(source: impl StdError + Send + Sync + 'static) -> Self {
        // called by name: as a value, `Location::caller` would tell where Rust's library has called it
        let place = Location::caller();
        let told = (&source as &dyn StdError).is::<TchError>() && !is_of_library(place.file());
        let mut error = Error::of(None, Some(Cause::Typed(Box::new(source))));
        error.0.place = told.then_some(place);
        error
    }

    /// Adds a text that says where the error happened; the previous error becomes its cause.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> Self {
        Error::of(Some(text.into()), Some(Cause::Error(self)))
    }

    #[cold]
    fn of(text: Option<String>, cause: Option<Cause>) -> Self {
        Error(Box::new(Inner { text, cause, place: None }))
    }

    /// The typed error of this type in the chain of causes, at any depth.
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

    /// All texts, from the outermost one to the first cause. Texts of libtorch are without C++ frames.
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

/// Prints the outermost text; `{:#}` prints the whole chain in one line.
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

/// `Error` does not implement `std::error::Error`, because then it could not convert from every such error.
impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        Error::new(error)
    }
}

/// Adds to an error in a `Result` where it happened.
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
    /// Adds `text`; the previous error becomes its cause.
    fn context(self, text: impl Into<String>) -> Result<T>;
    /// Like [`ErrorContext::context`]; the text is created only when there is an error.
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
