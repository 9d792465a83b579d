//! What a text consists of.

use crate::metric::error::MetricError;
use engine_macros::component;

/// The units of a text that are compared.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum TextUnit {
    /// What stands between white space. Punctuation belongs to its word: split it off before, as it is usual in the
    /// field.
    Words,
    /// Each character, white space included.
    Characters,
}

impl TextUnit {
    /// The units of a text.
    pub(super) fn of(self, text: &str) -> Vec<&str> {
        match self {
            TextUnit::Words => text.split_whitespace().collect(),
            TextUnit::Characters => {
                let ends = text.char_indices().map(|(at, character)| (at, at + character.len_utf8()));
                ends.map(|(from, to)| &text[from..to]).collect()
            }
        }
    }
}

/// Checks that there is one text of each kind for each sample.
pub(super) fn same_number(metric: &str, name: &str, found: usize, expected: usize) -> Result<(), MetricError> {
    if found == expected {
        return Ok(());
    }
    let why =
        format!("`{name}` of the output has {found} texts, and `prediction` has {expected}; give one for each sample");
    Err(MetricError::Data { metric: metric.to_owned(), why })
}
