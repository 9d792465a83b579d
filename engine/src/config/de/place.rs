//! Where in the experiment a value stands, for the note `at ..` of its mistakes.

use super::super::tree::{Kind, Node, Span};

/// The path of a value: a list from the inside out that lives on the stack of the reading.
#[derive(Clone, Copy)]
pub(in crate::config) struct Place<'p> {
    pub(in crate::config) parent: Option<&'p Place<'p>>,
    pub(in crate::config) segment: Segment<'p>,
}

/// One step of a path.
#[derive(Clone, Copy)]
pub(in crate::config) enum Segment<'p> {
    /// A whole path; may be empty.
    Root(&'p str),
    /// A field of a struct.
    Field { key: &'p str, span: Span },
    /// An element of a list or tuple.
    Index(usize),
    /// The value of a map's key.
    Key(&'p Node),
}

impl<'p> Place<'p> {
    /// Where reading begins.
    pub(in crate::config) fn root(path: &'p str) -> Self {
        Place { parent: None, segment: Segment::Root(path) }
    }

    /// Where the field's key was written, when the value is one.
    pub(super) fn key_span(&self) -> Option<Span> {
        match self.segment {
            Segment::Field { span, .. } => Some(span),
            _ => None,
        }
    }

    /// `custom_hooks.0.decay`
    pub(super) fn path(&self) -> String {
        let mut path = self.parent.map(Place::path).unwrap_or_default();
        let segment = match self.segment {
            Segment::Root(root) => root.to_owned(),
            Segment::Field { key, .. } => key.to_owned(),
            Segment::Index(index) => index.to_string(),
            Segment::Key(key) => match &key.kind {
                Kind::Str(text) => text.clone(),
                _ => super::super::print::key_text(key),
            },
        };
        join(&mut path, &segment);
        path
    }
}

/// Adds a segment to a path.
pub(in crate::config) fn join(path: &mut String, segment: &str) {
    if !path.is_empty() && !segment.is_empty() {
        path.push('.');
    }
    path.push_str(segment);
}
