//! Paths to values: where in the text a message about a value points.

use super::de::join;
use super::tree::{Field, Kind, Node, Span};

/// The keys and indices that lead to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValuePath(pub(super) Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A field or the index of an element.
    Child(String),
    /// The key of a map; of a component its name, which is no step in `Ema(decay: 0.9)`.
    Key(String),
}

/// Where a message about a value points.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value; when it is a default, what lacks it.
    pub span: Span,
    /// `hooks.checkpoint.save_best.0`
    pub path: String,
    /// Whether the text gives the value.
    pub given: bool,
}

impl ValuePath {
    /// The path as text, `optimizer.groups.0.lr`.
    pub fn to(path: &str) -> ValuePath {
        ValuePath(
            path.split('.').filter(|segment| !segment.is_empty()).map(|segment| Step::Child(segment.into())).collect(),
        )
    }

    /// Follows the path from the outermost value, as far as the text has the values on it.
    pub fn find(&self, root: &Node) -> Found {
        let mut found = Found { span: root.head(), path: String::new(), given: true };
        let mut node = root;
        for step in &self.0 {
            let (Step::Child(segment) | Step::Key(segment)) = step;
            match child(node, segment).filter(|_| found.given) {
                Some((inner, key)) => {
                    found.span = pointed(inner, key);
                    node = inner;
                }
                // the name of a component
                None if matches!(step, Step::Key(_)) => continue,
                None => found.given = false,
            }
            join(&mut found.path, segment);
        }
        found
    }
}

/// The value that a segment leads to, and where its key was written.
fn child<'a>(node: &'a Node, segment: &str) -> Option<(&'a Node, Option<Span>)> {
    let field = |Field { key_span, value, .. }: &'a Field| (value, Some(*key_span));
    match &node.kind {
        Kind::Struct(fields) => fields.iter().find(|field| field.key == segment).map(field),
        // a name in front of a single value: `Some(..)`, a newtype
        Kind::Tuple(items) if items.len() == 1 => match child(&items[0], segment) {
            None if segment == "0" => Some((&items[0], None)),
            inner => inner,
        },
        _ => node.find(segment).map(|value| (value, None)),
    }
}

/// A value of several lines is pointed at by its name or its key.
fn pointed(node: &Node, key: Option<Span>) -> Span {
    match (&node.name, &node.kind, key) {
        (Some(name), Kind::Struct(_) | Kind::Unit, _) => name.span,
        (Some(name), Kind::Tuple(items), _) if items.is_empty() => name.span,
        (None, Kind::Struct(_), Some(key)) => key,
        _ => node.span,
    }
}
