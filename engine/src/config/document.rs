//! An experiment as it was read: see [`Document`].

use super::de::from_node;
use super::diagnostic::Diagnostic;
use super::errors::{ConfigErrors, Diagnostics};
use super::print::{Noted, print_with_notes};
use super::set;
use super::sources::Sources;
use super::tree::{Field, Kind, Node};
use serde::de::DeserializeOwned;

/// An experiment as it was read: its tree, and the texts that the tree's spans point into.
#[derive(Clone, Debug)]
pub struct Document {
    /// The texts.
    pub sources: Sources,
    /// The outermost value.
    pub root: Node,
}

impl Document {
    /// An experiment that says nothing.
    pub fn empty() -> Self {
        Document { sources: Sources::new(), root: Node::new(Kind::Struct(Vec::new())) }
    }

    /// Reads the whole into one type.
    ///
    /// # Errors
    /// All mistakes that were found.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigErrors> {
        let diagnostics = Diagnostics::new();
        let value = from_node(&self.root, &self.sources, &diagnostics);
        match (value, diagnostics.into_result(&self.sources)) {
            (Some(value), Ok(())) => Ok(value),
            (_, Err(errors)) => Err(errors),
            (None, Ok(())) => {
                let unknown = Diagnostic::new(self.root.head(), "this could not be read");
                Err(ConfigErrors::new(self.sources.clone(), vec![unknown]))
            }
        }
    }

    /// Puts a value, written as a file writes it, in the place of whatever is at a path: `optimizer.lr`,
    /// `custom_hooks.Ema.decay`. In messages its text is that of a file called `name`.
    ///
    /// # Errors
    /// When the path leads nowhere or the value is not RON; their texts are in `sources` nevertheless.
    pub fn put(&mut self, name: &str, path: &str, value: &str) -> Result<(), Vec<Diagnostic>> {
        set::put(&mut self.root, name, (path, value), &mut self.sources)
    }

    /// The resolved experiment as text, with the place that each value was written at.
    pub fn show(&self) -> String {
        print_with_notes(&self.root, &|noted| match noted {
            Noted::Element(element) => Some(self.sources.position(element.span)),
            Noted::Field(Field { value, .. }) => {
                // the fields of a struct say it for themselves
                let said = value.holds_fields() || !value.span.is_some();
                (!said).then(|| self.sources.position(value.span))
            }
        })
    }
}
