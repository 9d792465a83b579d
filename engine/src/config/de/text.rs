//! Texts and paths: `Env("NAME")`, words of the command line, and what relative paths are relative to.

use super::super::diagnostic::Diagnostic;
use super::super::tree::{Kind, Node};
use super::De;
use super::error::Result;
use std::borrow::Cow;
use std::path::Path;

/// What serde's `PathBuf` says it expects; a test holds it to that.
const PATH: &str = "path string";

impl<'a> De<'a, '_> {
    /// The text that the value gives; none when it is of another kind.
    pub(super) fn text(self) -> Result<Option<Cow<'a, str>>> {
        Ok(match (&self.node.kind, &self.node.name) {
            (Kind::Str(text), _) => Some(Cow::Borrowed(text)),
            (Kind::Unit, Some(name)) if name.word => Some(Cow::Borrowed(&name.text)),
            (Kind::Tuple(items), Some(name)) if name.text == "Env" => Some(self.variable(items)?),
            _ => None,
        })
    }

    /// The text as a path when `expected` says that one is wanted: relative to the file that wrote it, made absolute,
    /// so that it means the same wherever it is written to again.
    pub(super) fn resolved(self, text: Cow<'a, str>, expected: &str) -> Cow<'a, str> {
        if expected != PATH || text.is_empty() {
            return text;
        }
        let path = self.cx.sources.folder(self.node.span).join(Path::new(text.as_ref()));
        match std::path::absolute(&path) {
            Ok(path) => Cow::Owned(path.to_string_lossy().into_owned()),
            Err(_) => Cow::Owned(path.to_string_lossy().into_owned()),
        }
    }

    fn no_string<T>(self, what: &str, found: &Node) -> Result<T> {
        let message = format!("{what} of an environment variable is a string, found {}", found.what());
        let wrong = Diagnostic::new(found.span, message);
        Err(self.record(match (&found.kind, found.name()) {
            (Kind::Unit, Some(name)) => wrong.label(format!("write `{name:?}`")),
            _ => wrong,
        }))
    }

    /// `Env("NAME")` or `Env("NAME", default)`.
    fn variable(self, items: &'a [Node]) -> Result<Cow<'a, str>> {
        let (name, default) = match items {
            [Node { kind: Kind::Str(name), .. }] => (name, None),
            [Node { kind: Kind::Str(name), .. }, Node { kind: Kind::Str(default), .. }] => (name, Some(default)),
            [Node { kind: Kind::Str(_), .. }, default] => return self.no_string("the default", default),
            [name, ..] if items.len() < 3 => return self.no_string("the name", name),
            _ => return self.wrong("`Env(\"NAME\")` or `Env(\"NAME\", \"default\")`"),
        };
        match (std::env::var(name), default) {
            (Ok(value), _) => Ok(Cow::Owned(value)),
            (Err(std::env::VarError::NotPresent), Some(default)) => Ok(Cow::Borrowed(default)),
            (Err(error), _) => {
                let problem = match error {
                    std::env::VarError::NotPresent => "is not set",
                    std::env::VarError::NotUnicode(_) => "is not UTF-8",
                };
                let help = format!("set it, or give a default: `Env({name:?}, \"..\")`");
                let message = format!("the environment variable `{name}` {problem}");
                Err(self.record(Diagnostic::new(self.node.span, message).help(help)))
            }
        }
    }
}
