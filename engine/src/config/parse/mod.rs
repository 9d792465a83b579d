//! From text to tree: RON's grammar, a superset of what the `ron` crate reads.
//!
//! Any text gives a tree or a diagnostic, never a panic: nesting is bounded, and every index lies on a character.
//! Beyond RON: all extensions are always on, and a number's type suffix only bounds it.
//! Short of RON: a map has each key once, ranges (`0..9`) are not read, integers are those of `i128`, names are made of
//! letters, digits and `_` (no combining marks), and one that is `true`, `false`, `inf` or `NaN` is written with `r#`.
//! Nothing here knows what type a value will be read as.

mod cursor;
mod number;
mod text;
mod value;

use super::diagnostic::Diagnostic;
use super::tree::Node;
use cursor::Parser;

/// Parses the text of source `file`.
pub(super) fn parse(file: u32, text: &str) -> Result<Node, Vec<Diagnostic>> {
    parse_from(file, text, 0)
}

/// Parses the value that begins at byte `at` of a text.
pub(super) fn parse_from(file: u32, text: &str, at: usize) -> Result<Node, Vec<Diagnostic>> {
    let mut parser = Parser::new(file, text, at);
    let document = parser.document();
    parser.finish(document)
}

/// As [`parse_from`] of a command-line text, where names may stand for strings.
pub(super) fn parse_argument(file: u32, text: &str, at: usize) -> Result<Node, Vec<Diagnostic>> {
    let mut parser = Parser::new(file, text, at);
    parser.words = true;
    let document = parser.document();
    parser.finish(document)
}
