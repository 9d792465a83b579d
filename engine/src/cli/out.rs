//! What a command prints. A reader that goes away ends it quietly (`list | head`); text that is lost in any other way,
//! on a full disk, is an error.

use crate::base::{ErrorContext as _, Result};
use clap::ValueEnum;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write as _};

/// Prints a text that has its line ends.
///
/// # Errors
/// When it could not be written, and someone would still read it.
pub(super) fn text(text: impl Display) -> Result<()> {
    let mut stdout = io::stdout().lock();
    written(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Prints a line.
///
/// # Errors
/// As [`text`].
pub(super) fn line(line: impl Display) -> Result<()> {
    text(format_args!("{line}\n"))
}

/// Prints a line on standard error. When that can't be written either, the exit code is all that is left to tell.
pub(super) fn error_line(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// What an attempt to print came to.
///
/// # Errors
/// As [`text`].
pub(super) fn written(attempt: io::Result<()>) -> Result<()> {
    match attempt {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        attempt => attempt.context("the output can't be printed"),
    }
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
        self.on(io::stdout().is_terminal())
    }

    /// For standard error.
    pub(super) fn stderr(self) -> Color {
        self.on(io::stderr().is_terminal())
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
