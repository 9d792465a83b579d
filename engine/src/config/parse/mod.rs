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

/// How deep values may be nested.
pub(super) const MAX_DEPTH: u32 = 128;

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

/// The extensions of RON that a file may enable; here they are always on.
const EXTENSIONS: [&str; 4] = ["implicit_some", "unwrap_newtypes", "unwrap_variant_newtypes", "explicit_struct_names"];

/// Whether the text, printed as it is, is read back as this identifier and nothing else.
pub(super) fn is_plain_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(cursor::is_identifier_start)
        && characters.all(cursor::is_identifier_part)
        && !value::is_literal(text)
}
