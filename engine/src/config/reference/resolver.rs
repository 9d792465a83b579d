//! Follows references, and computes what is made of them.

use super::super::de::join;
use super::super::diagnostic::Diagnostic;
use super::super::errors::Diagnostics;
use super::super::expression::{Expression, Operation};
use super::super::links::Link;
use super::super::merge::Merge;
use super::super::print::key_text;
use super::super::set;
use super::super::sources::Sources;
use super::super::tree::{Field, Kind, Node, Span};
use super::super::variable::Variable;
use super::arithmetic::Number;
use super::walk::part;
use std::borrow::Cow;

/// How many references may lead from one to the next.
const MOST_STEPS: usize = 32;

/// How many references of an experiment are followed.
const MOST_REFERENCES: usize = 10_000;

/// How many values they may put into it.
const MOST_VALUES: usize = 100_000;

/// How deep values may be nested, as in a file.
const MAX_DEPTH: usize = 128;

/// A value with all its references followed; none when one leads nowhere, which was told.
type Resolved = Option<Node>;

pub(super) struct Resolver<'t> {
    root: &'t Node,
    sources: &'t mut Sources,
    /// The references that are being followed, with the paths that they name.
    active: Vec<(String, Span)>,
    /// Where the value at hand will stand.
    path: Vec<String>,
    depth: usize,
    followed: usize,
    values: usize,
}

impl<'t> Resolver<'t> {
    pub(super) fn new(root: &'t Node, sources: &'t mut Sources) -> Self {
        let (active, path) = Default::default();
        Resolver { root, sources, active, path, depth: 0, followed: 0, values: 0 }
    }

    pub(super) fn resolve_root(&mut self) -> Node {
        self.value(self.root)
    }

    /// A value with all references in it followed; one that leads nowhere is left as it is written.
    fn value(&mut self, node: &Node) -> Node {
        match Expression::of(node) {
            None => self.parts(node),
            Some(expression) => self.computed(node, expression).unwrap_or_else(|| {
                self.sources.links_mut().lose(node.span);
                node.clone()
            }),
        }
    }

    /// The parts of a value, in their places.
    fn parts(&mut self, node: &Node) -> Node {
        self.values += usize::from(!self.active.is_empty());
        let kind = match &node.kind {
            Kind::Struct(fields) => {
                let field = |field: &Field| Field {
                    key: field.key.clone(),
                    key_span: field.key_span,
                    value: self.part(&field.key, &field.value),
                };
                Kind::Struct(fields.iter().map(field).collect())
            }
            // what a name stands before has the path of the whole
            Kind::Tuple(items) if items.len() == 1 && node.name.is_some() => {
                Kind::Tuple(vec![self.part("", &items[0])])
            }
            Kind::Tuple(items) => Kind::Tuple(self.items(items)),
            Kind::Seq(items) => Kind::Seq(self.items(items)),
            Kind::Map(pairs) => {
                let pair = |(key, value): &(Node, Node)| (key.clone(), self.part(&segment(key), value));
                Kind::Map(pairs.iter().map(pair).collect())
            }
            plain => plain.clone(),
        };
        Node { span: node.span, name: node.name.clone(), kind }
    }

    fn items(&mut self, items: &[Node]) -> Vec<Node> {
        items.iter().enumerate().map(|(index, item)| self.part(&index.to_string(), item)).collect()
    }

    fn part(&mut self, segment: &str, node: &Node) -> Node {
        // a file is not so deep by itself
        if let Some((_, reference)) = self.active.last().filter(|_| self.depth >= MAX_DEPTH) {
            let mistake = too_deep(*reference);
            self.refuse::<()>(mistake);
            return node.clone();
        }
        self.path.push(segment.to_owned());
        self.depth += 1;
        let value = self.value(node);
        self.depth -= 1;
        self.path.pop();
        value
    }

    /// What an expression gives, at its place.
    fn computed(&mut self, node: &Node, expression: Expression<'_>) -> Resolved {
        match expression {
            Expression::Ref { path, at } => self.referred(node, path, at.span),
            Expression::Compute { operation, operands } => self.number(node, operation, operands),
            Expression::Later { first, layers } => {
                let below = self.computed(first, Expression::of(first)?)?;
                self.changed(below, layers)
            }
        }
    }

    /// `Ref("model.block")`
    fn referred(&mut self, node: &Node, path: &str, at: Span) -> Resolved {
        self.followed += 1;
        if self.followed > MOST_REFERENCES || self.values > MOST_VALUES {
            let message = "the references of this experiment lead to more values than any experiment has";
            return self.refuse(Diagnostic::new(node.span, message));
        }
        if let Some(first) = self.active.iter().position(|(known, _)| known == path) {
            return self.circle(first, path, node.span);
        }
        if self.active.len() >= MOST_STEPS {
            let message = format!("more than {MOST_STEPS} references lead from one to the next");
            return self.refuse(Diagnostic::new(node.span, message));
        }
        self.active.push((path.to_owned(), node.span));
        let found = self.at(path, at);
        self.active.pop();
        let mut value = found?;
        let end = Link { path: path.to_owned(), to: pointed(&value) };
        value.span = node.span;
        if let Some(name) = &mut value.name {
            name.span = node.span;
        }
        let has_parts = matches!(value.kind, Kind::Struct(_) | Kind::Tuple(_) | Kind::Seq(_) | Kind::Map(_));
        let landed = has_parts.then(|| self.here());
        let links = self.sources.links_mut();
        links.add(node.span, vec![end]);
        if let Some(path) = landed {
            links.land(path, node.span);
        }
        Some(value)
    }

    /// The value at a path of the experiment, with its references followed.
    fn at(&mut self, path: &str, span: Span) -> Resolved {
        let mut whole = Cow::Borrowed(self.root);
        let mut walked = String::new();
        for segment in path.split('.') {
            if segment.is_empty() {
                let message = "a reference names a path of the experiment, `model.width`: a name is missing";
                return self.refuse(Diagnostic::new(span, message));
            }
            whole = self.followed(whole)?;
            let found = match &whole {
                Cow::Borrowed(whole) => part(whole, segment, &walked, span).map(Cow::Borrowed),
                Cow::Owned(whole) => part(whole, segment, &walked, span).map(|part| Cow::Owned(part.clone())),
            };
            whole = match found {
                Ok(part) => part,
                Err(mistake) => return self.refuse(*mistake),
            };
            join(&mut walked, segment);
        }
        match whole {
            Cow::Borrowed(node) => match Expression::of(node) {
                Some(expression) => self.computed(node, expression),
                None => Some(self.parts(node)),
            },
            Cow::Owned(node) => Some(node),
        }
    }

    /// The value itself where a path leads on through a reference.
    fn followed<'n>(&mut self, node: Cow<'n, Node>) -> Option<Cow<'n, Node>> {
        match Expression::of(&node) {
            Some(expression) => self.computed(&node, expression).map(Cow::Owned),
            None => Some(node),
        }
    }

    /// `Mul(2, Ref("model.block"))`
    fn number(&mut self, node: &Node, operation: Operation, operands: [&Node; 2]) -> Resolved {
        if self.depth >= MAX_DEPTH {
            return self.refuse(too_deep(node.span));
        }
        self.depth += 1;
        // both, so that the mistakes of both are told
        let [first, second] = operands.map(|operand| self.operand(operation, operand));
        self.depth -= 1;
        let ends = operands.iter().flat_map(|operand| self.sources.links().of(operand.span).to_vec()).collect();
        self.sources.links_mut().add(node.span, ends);
        match operation.apply(first?, second?) {
            Ok(result) => Some(Node { span: node.span, name: None, kind: result.kind() }),
            Err(why) => self.refuse(Diagnostic::new(node.span, why)),
        }
    }

    fn operand(&mut self, operation: Operation, node: &Node) -> Option<Number> {
        let mut value = match Expression::of(node) {
            Some(expression) => self.computed(node, expression)?,
            None => node.clone(),
        };
        if let Some(variable) = Variable::of(&value) {
            match variable.and_then(|variable| variable.scalar(value.span, "a number")) {
                Ok(number) => value = number,
                Err(mistake) => return self.refuse(*mistake),
            }
        }
        match Number::of(&value.kind).filter(|_| value.name.is_none()) {
            Some(number) => Some(number),
            None => {
                let message = format!("`{operation:?}` takes two numbers, found {}", value.what());
                self.refuse(Diagnostic::new(node.span, message))
            }
        }
    }

    /// What later layers say of a value that an earlier one refers to.
    fn changed(&mut self, below: Node, layers: &[Node]) -> Resolved {
        let diagnostics = Diagnostics::new();
        let mut value = below;
        for layer in layers {
            value = match set::waiting(layer) {
                Some((path, layer)) => set::change(value, path, layer, &diagnostics),
                None => Merge::new(&diagnostics).values(value, layer.clone()),
            };
        }
        value = Merge::new(&diagnostics).settle(value);
        let found = diagnostics.into_vec();
        if !found.is_empty() {
            for found in found {
                let _: Option<()> = self.refuse(found);
            }
            return None;
        }
        // the layers may refer to something themselves
        Some(self.value(&value))
    }

    /// A reference to the path leads back to the one that is already followed, the first of `active` that names it.
    fn circle<T>(&mut self, first: usize, path: &str, span: Span) -> Option<T> {
        let mut circle: Vec<(String, Span)> = self.active[first + 1..].to_vec();
        circle.push((path.to_owned(), span));
        // every reference of a circle finds it: it is told once, from the one that is written first
        let least = (0..circle.len()).min_by_key(|index| circle[*index].1).unwrap_or(0);
        circle.rotate_left(least);
        let names: Vec<String> =
            circle.last().into_iter().chain(&circle).map(|(path, _)| format!("`{path}`")).collect();
        let message = match circle.len() {
            1 => format!("`{path}` refers to itself"),
            _ => format!("references form a circle: {}", names.join(" → ")),
        };
        let mut mistake = Diagnostic::new(circle[0].1, message);
        for (path, at) in circle.iter().skip(1).take(3) {
            mistake = mistake.note(*at, format!("leads to `{path}`"));
        }
        // its place is that of each member
        self.sources.links_mut().mistake(mistake);
        None
    }

    fn refuse<T>(&mut self, mistake: Diagnostic) -> Option<T> {
        // what is found on the way through another reference has its own path elsewhere
        let path = if self.active.len() < 2 { self.here() } else { String::new() };
        self.sources.links_mut().mistake(mistake.at(path));
        None
    }

    /// The path of the value at hand.
    fn here(&self) -> String {
        let mut path = String::new();
        self.path.iter().for_each(|segment| join(&mut path, segment));
        path
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(span, format!("by references, values are nested more than {MAX_DEPTH} levels deep"))
}

/// What stands for a value in a message: its name, or where it begins when it has parts.
fn pointed(node: &Node) -> Span {
    match (&node.name, &node.kind) {
        (Some(name), _) => name.span,
        (None, Kind::Struct(_) | Kind::Tuple(_) | Kind::Seq(_) | Kind::Map(_)) => node.span.first(),
        _ => node.span,
    }
}

fn segment(key: &Node) -> String {
    match &key.kind {
        Kind::Str(text) => text.clone(),
        _ => key_text(key),
    }
}
