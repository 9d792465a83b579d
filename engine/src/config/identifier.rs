//! Identifiers, and the words that are values instead.

use super::tree::Kind;

/// Whether the text, printed as it is, is read back as this identifier and nothing else.
pub(super) fn is_plain_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_identifier_start) && characters.all(is_identifier_part) && literal(text).is_none()
}

pub(super) fn is_identifier_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

pub(super) fn is_identifier_part(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The value that a word stands for, if it is no identifier.
pub(super) fn literal(text: &str) -> Option<Kind> {
    Some(match text {
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        "inf" | "inff32" | "inff64" => Kind::Float(f64::INFINITY),
        "NaN" | "NaNf32" | "NaNf64" => Kind::Float(f64::NAN),
        _ => return None,
    })
}
