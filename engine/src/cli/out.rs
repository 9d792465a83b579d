//! Lines for standard output, whose reader may go away: `list | head` ends quietly.

use std::fmt::Display;
use std::io::Write as _;

/// Prints a line; one that nobody reads any more is left out.
pub(super) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
