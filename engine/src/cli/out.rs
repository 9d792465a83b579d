//! Lines for standard output, whose reader may go away: `list | head` ends quietly.

use clap::ValueEnum;
use std::fmt::Display;
use std::io::{IsTerminal, Write as _};

/// Prints a text that has its line ends.
pub(super) fn text(text: impl Display) {
    let _ = write!(std::io::stdout().lock(), "{text}");
}

/// Prints a line; one that nobody reads any more is left out.
pub(super) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    // no doc comments: they would stand in every command's help
    #[default]
    Auto,
    Always,
    Never,
}

/// Whether one stream is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color(pub(super) bool);

impl ColorChoice {
    /// For standard output.
    pub(super) fn stdout(self) -> Color {
        self.on(std::io::stdout().is_terminal())
    }

    /// For standard error.
    pub(super) fn stderr(self) -> Color {
        self.on(std::io::stderr().is_terminal())
    }

    fn on(self, terminal: bool) -> Color {
        // https://no-color.org: set, and not empty
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Color(match self {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !refused,
        })
    }
}

impl Color {
    pub(super) fn red(self, text: &str) -> String {
        self.escaped("31", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.escaped("32", text)
    }

    fn escaped(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
