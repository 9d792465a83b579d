//! Texts and paths, `Env("NAME")`, words of the command line, and what relative paths are relative to.

use super::super::diagnostic::Diagnostic;
use super::super::tree::{Kind, Node};
use super::super::variable::Variable;
use super::De;
use super::error::Result;
use std::borrow::Cow;
use std::path::Path;

/// What serde's `PathBuf` says it expects; a test holds it to that.
const PATH: &str = "path string";

impl<'a> De<'a, '_> {
    /// The text that the value gives; none when it is of another kind.
    pub(super) fn text(self) -> Result<Option<Cow<'a, str>>> {
        if let Some(variable) = self.variable() {
            let text = variable.and_then(Variable::text).map_err(|mistake| self.record(*mistake))?;
            return Ok(Some(Cow::Owned(text)));
        }
        Ok(match (&self.node.kind, &self.node.name) {
            (Kind::Str(text), _) => Some(Cow::Borrowed(text)),
            (Kind::Unit, Some(name)) if name.word => Some(Cow::Borrowed(&name.text)),
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

    /// The value itself, or the number, `true` or `false` that an environment variable gives.
    pub(super) fn scalar(self, expected: &str) -> Result<Cow<'a, Node>> {
        match self.variable() {
            Some(variable) => {
                let read = variable.and_then(|variable| variable.scalar(self.node.span, expected));
                read.map(Cow::Owned).map_err(|mistake| self.record(*mistake))
            }
            None => Ok(Cow::Borrowed(self.node)),
        }
    }

    /// The value, or what an environment variable gives for it, is not what was expected.
    pub(super) fn no_scalar(self, scalar: &Node, expected: &str) -> Diagnostic {
        if self.variable().is_none() {
            return self.not(expected);
        }
        let from = if scalar.span == self.node.span { " in the environment variable" } else { "" };
        Diagnostic::new(scalar.span, format!("expected {expected}, found {}{from}", scalar.what()))
    }

    /// `Env("NAME")` or `Env("NAME", default)`.
    fn variable(self) -> Option<std::result::Result<Variable<'a>, Box<Diagnostic>>> {
        if self.body { None } else { Variable::of(self.node) }
    }
}
