//! An experiment as it was read: see [`Document`].

use super::de::from_node;
use super::diagnostic::Diagnostic;
use super::errors::{ConfigErrors, Diagnostics};
use super::print::{Noted, print_with_notes};
use super::reference;
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
    /// ```
    /// let mut document = engine::config::parse_text("exp.ron", "(optimizer: Sgd(lr: 0.1))")?;
    /// document.put("tuning", "optimizer.lr", "0.03").unwrap();
    /// assert_eq!(engine::config::print_line(&document.root), "(optimizer: Sgd(lr: 0.03))");
    /// let problems = document.put("tuning", "optimizer.lr.value", "1").unwrap_err();
    /// assert!(problems[0].message.contains("there is no `value`"));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the path leads nowhere or the value is not RON; their texts are in `sources` nevertheless.
    pub fn put(&mut self, name: &str, path: &str, value: &str) -> Result<(), Vec<Diagnostic>> {
        set::put(&mut self.root, name, (path, value), &mut self.sources)
    }

    /// With the value in the place of every `Ref("..")`, and the result in the place of `Mul(.., ..)`, `Add`, `Sub` and
    /// `Div`. What is wrong with one is told with the mistakes of the reading: it stays as it is written.
    ///
    /// ```
    /// let text = "(width: 64, model: (hidden: Mul(Ref(\"width\"), 4)))";
    /// let document = engine::config::parse_text("exp.ron", text)?.resolved();
    /// assert_eq!(engine::config::print_line(&document.root), "(width: 64, model: (hidden: 256))");
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    #[must_use]
    pub fn resolved(mut self) -> Document {
        let root = reference::resolve(&self.root, &mut self.sources);
        Document { root, ..self }
    }

    /// The resolved experiment as text, with the place that each value was written at.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("exp.ron");
    /// std::fs::write(&path, "(\n    seed: 7,\n)")?;
    /// let shown = engine::config::load_with(&path, &["name=\"second\""])?.show();
    /// assert!(shown.contains("exp.ron:2:11"), "{shown}");
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub fn show(&self) -> String {
        print_with_notes(&self.root, &|noted| match noted {
            Noted::Element(element) => Some(self.sources.position_with_ends(element.span)),
            Noted::Field(Field { value, .. }) => {
                // the fields of a struct say it for themselves, but not that it came by a reference
                let said = value.holds_fields() && self.sources.links().of(value.span).is_empty();
                (!said && value.span.is_some()).then(|| self.sources.position_with_ends(value.span))
            }
        })
    }
}
