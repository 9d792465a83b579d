//! Values that are computed from others, by the form in which they are written: what a merge has to know of references.

use super::tree::{Kind, Node};

/// A value that is computed from others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expression<'n> {
    /// `Ref("model.block")`
    Ref { path: &'n str, at: &'n Node },
    /// `Mul(2, Ref("model.block"))`
    Compute { operation: Operation, operands: [&'n Node; 2] },
    /// A reference, and what later layers say of the value that it refers to.
    Later { first: &'n Node, layers: &'n [Node] },
}

/// The four operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Sub,
    Mul,
    Div,
}

impl<'n> Expression<'n> {
    /// None for a plain value, and for what has another form: its type tells what is wrong with it.
    pub(super) fn of(node: &'n Node) -> Option<Self> {
        let Kind::Tuple(items) = &node.kind else { return None };
        let name = node.name()?;
        match (name, items.as_slice()) {
            ("Ref", [at @ Node { kind: Kind::Str(path), name: None, .. }]) => Some(Expression::Ref { path, at }),
            (LATER, [first, layers @ ..]) => Some(Expression::Later { first, layers }),
            (_, [first, second]) => {
                Some(Expression::Compute { operation: Operation::of(name)?, operands: [first, second] })
            }
            _ => None,
        }
    }
}

impl Operation {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "Add" => Operation::Add,
            "Sub" => Operation::Sub,
            "Mul" => Operation::Mul,
            "Div" => Operation::Div,
            _ => return None,
        })
    }
}

/// The name of a reference with what later layers say of it, which is none that a text could hold.
const LATER: &str = "(later)";

/// Whether a value is known only when references are followed, so that what changes parts of it has to wait.
pub(super) fn waits(node: &Node) -> bool {
    matches!(Expression::of(node), Some(Expression::Ref { .. } | Expression::Later { .. }))
}

/// Whether later layers have said something of a reference already.
pub(super) fn has_layers(node: &Node) -> bool {
    matches!(Expression::of(node), Some(Expression::Later { .. }))
}

/// A reference with one more layer over it: applied when it is followed.
pub(super) fn later(mut reference: Node, layer: Node) -> Node {
    if has_layers(&reference)
        && let Kind::Tuple(items) = &mut reference.kind
    {
        items.push(layer);
        return reference;
    }
    let span = reference.span;
    Node { span, ..Node::named(LATER, Kind::Tuple(vec![reference, layer])) }
}
