//! What serde says went wrong, kept as it is until the value's place is known.

use serde::de::{Expected, Unexpected};
use std::fmt;

pub(super) type Result<T> = std::result::Result<T, Error>;

/// An error on its way out of serde.
#[derive(Debug)]
pub(in crate::config) enum Error {
    /// Already recorded with its place.
    Recorded,
    /// The message of a validator.
    Custom(String),
    /// Another kind of value was expected.
    Type { expected: String },
    /// An enum or a trait has no such name.
    Variant { name: String, known: &'static [&'static str] },
    /// A struct has no such field.
    Field { name: String, known: &'static [&'static str] },
    /// A struct lacks a field.
    Missing(&'static str),
    /// A field is given twice.
    Duplicate(&'static str),
    /// Too few or too many values.
    Length { found: usize, expected: String },
}

/// Stands for [`Error::Recorded`] where an error is handed on as a text; no message of a validator has it.
const RECORDED: &str = "\u{1}recorded\u{1}";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Recorded => f.write_str(RECORDED),
            Error::Custom(message) => f.write_str(message),
            Error::Type { expected } => write!(f, "expected {expected}"),
            Error::Variant { name, .. } => write!(f, "unknown variant `{name}`"),
            Error::Field { name, .. } => write!(f, "unknown field `{name}`"),
            Error::Missing(name) => write!(f, "missing field `{name}`"),
            Error::Duplicate(name) => write!(f, "field `{name}` is given twice"),
            Error::Length { found, expected } => write!(f, "expected {expected}, found {found} values"),
        }
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        if message.contains(RECORDED) { Error::Recorded } else { Error::Custom(message) }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::Type { expected: expected.to_string() }
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::Type { expected: expected.to_string() }
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Error::Length { found, expected: expected.to_string() }
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Error::Variant { name: name.to_owned(), known }
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Error::Field { name: name.to_owned(), known }
    }

    fn missing_field(name: &'static str) -> Self {
        Error::Missing(name)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Error::Duplicate(name)
    }
}
