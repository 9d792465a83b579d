//! One tree over another: what a file says over its base, what the command line says over the file.
//!
//! A struct patches a struct of the same name, or either has none, field by field; maps are united by key; anything else
//! replaces. `Append([..])`, `Prepend([..])`, `Patch({..})` and `Replace(..)` say it otherwise, `Default` takes back. Spans stay those of the
//! text that won. An operator whose base is not known yet stays in the tree until [`Merge::settle`].

use super::de::{join, unknown};
use super::diagnostic::Diagnostic;
use super::errors::Diagnostics;
use super::expression::{has_layers, later, waits};
use super::print::key_text;
use super::sources::TakenBack;
use super::tree::{Field, Kind, Name, Node, Span};
use std::collections::BTreeMap;

/// A merge that is under way, and where in the tree it is.
pub(super) struct Merge<'d> {
    diagnostics: &'d Diagnostics,
    path: Vec<String>,
}

/// How many names of a list are compared with one that it hasn't.
const MOST_NAMES: usize = 100;

/// What a value does to the one below it, by its name; no component may have one of these names and one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Append,
    Prepend,
    Patch,
    Replace,
    /// Two that wait for the same list, one after the other; no file can write it.
    Then,
}

/// The name of [`Operator::Then`], which is none that a text could hold.
const THEN: &str = "(then)";

impl<'d> Merge<'d> {
    pub(super) fn new(diagnostics: &'d Diagnostics) -> Self {
        Merge { diagnostics, path: Vec::new() }
    }

    /// A merge of values at a path.
    pub(super) fn at(diagnostics: &'d Diagnostics, path: &str) -> Self {
        Merge { diagnostics, path: vec![path.to_owned()] }
    }

    /// The outermost struct of a file over that of its bases: names are only checked.
    pub(super) fn documents(&mut self, mut base: Node, over: Node) -> Node {
        if let (Some(below), Some(above)) = (&base.name, &over.name)
            && below.text != above.text
        {
            let message = format!("expected `{}(..)` as in the base, found `{}`", below.text, above.text);
            self.diagnostics.push(Diagnostic::new(above.span, message).note(below.span, "the base"));
            return over;
        }
        // `Experiment(..)` over `(..)`: the same struct, its name left out
        if matches!((&base.kind, &over.kind), (Kind::Struct(_), Kind::Struct(_))) {
            base.name = over.name.clone().or(base.name);
        }
        self.values(base, over)
    }

    /// A value over another one.
    pub(super) fn values(&mut self, base: Node, over: Node) -> Node {
        if operator(&over) == Some(Operator::Replace) {
            return over;
        }
        if operator(&base) == Some(Operator::Replace) {
            return within(base, |below| self.values(below, over));
        }
        if waits(&base) && (operator(&over).is_some() || is_patch(&over)) {
            return if says_nothing(&over) { base } else { later(base, over) };
        }
        match operator(&over) {
            Some(Operator::Then) => {
                let (first, second) = steps(over);
                let below = self.values(base, first);
                self.values(below, second)
            }
            Some(Operator::Append | Operator::Prepend) => self.extend(base, over),
            Some(_) => self.patch(base, over),
            None => self.plain(base, over),
        }
    }

    /// Applies the operators that are left: nothing was below them.
    pub(super) fn settle(&mut self, node: Node) -> Node {
        match operator(&node) {
            // what later layers say is applied when the reference is followed
            None if has_layers(&node) => node,
            None => self.settle_inside(node),
            Some(Operator::Then) => {
                let (first, second) = steps(node);
                let below = self.settle(first);
                // a patch of nothing, which was told
                if operator(&below).is_some() {
                    return below;
                }
                let both = self.values(below, second);
                self.settle(both)
            }
            Some(Operator::Patch) => {
                self.mistake(Diagnostic::new(node.head(), "there is nothing to patch: no base has this value"));
                node
            }
            Some(kind) => {
                let inner = inner(node);
                if kind != Operator::Replace && !matches!(inner.kind, Kind::Seq(_)) {
                    self.needs_list(kind, &inner);
                }
                self.settle(inner)
            }
        }
    }

    fn settle_inside(&mut self, mut node: Node) -> Node {
        match &mut node.kind {
            Kind::Struct(fields) => {
                for Field { key, key_span, value } in fields.iter().filter(|field| is_default(&field.value)) {
                    let owner = node.name.as_ref().map(|name| name.text.clone());
                    let field = TakenBack { owner, key: *key_span, value: value.span };
                    self.diagnostics.take_back(self.path_of(key), field);
                }
                fields.retain(|field| !is_default(&field.value));
                for field in fields {
                    self.enter(&field.key, |merge| replace_with(&mut field.value, |value| merge.settle(value)));
                }
            }
            Kind::Seq(items) | Kind::Tuple(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.enter(&index.to_string(), |merge| replace_with(item, |value| merge.settle(value)));
                }
            }
            Kind::Map(pairs) => {
                pairs.retain(|(_, value)| !is_default(value));
                for (key, value) in pairs {
                    self.enter(&key_text(key), |merge| replace_with(value, |value| merge.settle(value)));
                }
            }
            _ => {}
        }
        node
    }

    fn plain(&mut self, base: Node, over: Node) -> Node {
        if base.some_inner().is_some() && over.name.is_none() && matches!(over.kind, Kind::Struct(_)) {
            return within(base, |below| self.values(below, over));
        }
        let same = over.name.is_none() || base.name.is_none() || over.name() == base.name();
        let name = over.name.clone().or_else(|| base.name.clone());
        match (base.kind, over.kind) {
            (Kind::Struct(below), Kind::Struct(above)) if same => {
                Node { span: over.span, name, kind: Kind::Struct(self.fields(below, above)) }
            }
            // settings of what was absent or off until now
            (Kind::Unit, above @ Kind::Struct(_)) if is_nothing(base.name.as_ref()) && over.name.is_none() => {
                Node { span: over.span, name: None, kind: above }
            }
            (below, above @ Kind::Struct(_)) if same && is_empty(&below) && base.name.is_some() => {
                Node { span: over.span, name, kind: above }
            }
            // nothing said of any field: all stay; a bare word over fields without a name (`Off`) is another value
            (below @ Kind::Struct(_), above)
                if same
                    && is_empty(&above)
                    && !(base.name.is_none() && over.name.is_some() && matches!(above, Kind::Unit)) =>
            {
                Node { span: base.span, name, kind: below }
            }
            (below, above) if over.name.is_none() && is_empty(&below) && is_empty(&above) && base.name.is_some() => {
                Node { span: base.span, name: base.name, kind: below }
            }
            (Kind::Map(below), Kind::Map(above)) => {
                Node { span: over.span, name: None, kind: Kind::Map(self.pairs(below, above)) }
            }
            (_, kind) => Node { span: over.span, name: over.name, kind },
        }
    }

    fn fields(&mut self, mut below: Vec<Field>, above: Vec<Field>) -> Vec<Field> {
        let index: BTreeMap<String, usize> = numbered(below.iter().map(|field| field.key.clone()));
        for field in above {
            match index.get(&field.key).and_then(|index| below.get_mut(*index)) {
                Some(known) => {
                    known.key_span = field.key_span;
                    self.enter(&field.key, |merge| {
                        replace_with(&mut known.value, |value| merge.values(value, field.value));
                    });
                }
                None => below.push(field),
            }
        }
        below
    }

    fn pairs(&mut self, mut below: Vec<(Node, Node)>, above: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
        let index: BTreeMap<String, usize> = numbered(below.iter().map(|(key, _)| key_text(key)));
        for (key, value) in above {
            match index.get(&key_text(&key)).and_then(|index| below.get_mut(*index)) {
                Some((known, old)) => {
                    self.enter(&key_text(&key), |merge| replace_with(old, |old| merge.values(old, value)));
                    *known = key;
                }
                None => below.push((key, value)),
            }
        }
        below
    }

    /// `Append([..])` and `Prepend([..])`.
    fn extend(&mut self, base: Node, over: Node) -> Node {
        let kind = operator(&over);
        // an operator over the same one, while neither has a list yet
        if kind.is_some() && operator(&base) == kind {
            return within(over, |above| self.join_lists(kind, inner(base), above));
        }
        if operator(&base).is_some() {
            return then(base, over);
        }
        if is_absent(&base) {
            return over;
        }
        self.join_lists(kind, base, inner(over))
    }

    fn join_lists(&mut self, kind: Option<Operator>, base: Node, over: Node) -> Node {
        let (below_span, below_what) = (base.span, base.what());
        match (base.kind, over.kind) {
            (Kind::Seq(below), Kind::Seq(above)) => {
                let (mut first, second) = if kind == Some(Operator::Prepend) { (above, below) } else { (below, above) };
                first.extend(second);
                Node { span: over.span, name: None, kind: Kind::Seq(first) }
            }
            (Kind::Seq(below), above) => {
                if let Some(kind) = kind {
                    self.needs_list(kind, &Node { span: over.span, name: over.name, kind: above });
                }
                Node { span: below_span, name: None, kind: Kind::Seq(below) }
            }
            (below, _) => {
                let message = format!("there is no list to extend in the base, found {below_what}");
                self.mistake(Diagnostic::new(over.span, message).note(below_span, "the base"));
                Node { span: below_span, name: base.name, kind: below }
            }
        }
    }

    /// `Patch({"Ema": (level: 30), 1: ..})`
    fn patch(&mut self, base: Node, over: Node) -> Node {
        if operator(&base) == Some(Operator::Patch) {
            let below = inner(base);
            return within(over, |above| self.plain(below, above));
        }
        if operator(&base).is_some() {
            return then(base, over);
        }
        if is_absent(&base) {
            return over;
        }
        let mut base = base;
        let over = inner(over);
        match (&mut base.kind, over.kind) {
            (Kind::Seq(items), Kind::Map(pairs)) => {
                for (key, value) in pairs {
                    let Some(segment) = segment(&key) else {
                        let message = format!("expected an index or a name in quotes, found {}", key.what());
                        self.mistake(Diagnostic::new(key.span, message));
                        continue;
                    };
                    match element(items, &segment, key.span) {
                        Ok(index) => self.enter(&segment, |merge| {
                            replace_with(&mut items[index], |item| merge.values(item, value));
                        }),
                        Err(mistake) => self.mistake(mistake.note(base.span.first(), "this list")),
                    }
                }
            }
            (Kind::Seq(_), _) => {
                let message = "`Patch` takes a map from names or indices: `Patch({\"Name\": (..), 0: (..)})`";
                self.mistake(Diagnostic::new(over.span, message));
            }
            _ => {
                let message = format!("there is no list to patch in the base, found {}", base.what());
                self.mistake(Diagnostic::new(over.span, message).note(base.span, "the base"));
            }
        }
        base
    }

    fn needs_list(&self, kind: Operator, found: &Node) {
        let message = format!("`{kind:?}` takes a list: `{kind:?}([..])`, found {}", found.what());
        self.mistake(Diagnostic::new(found.span, message));
    }

    fn enter(&mut self, segment: &str, inside: impl FnOnce(&mut Self)) {
        self.path.push(segment.to_owned());
        inside(self);
        self.path.pop();
    }

    fn mistake(&self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic.at(self.path_of("")));
    }

    /// The path of a field of the value that is being merged.
    fn path_of(&self, key: &str) -> String {
        let mut path = String::new();
        self.path.iter().map(String::as_str).chain([key]).for_each(|segment| join(&mut path, segment));
        path
    }
}

/// The element that an index or the name of exactly one element says.
pub(super) fn element(items: &[Node], segment: &str, at: Span) -> Result<usize, Box<Diagnostic>> {
    if let Ok(index) = segment.parse::<usize>() {
        let count = items.len();
        return match index < count {
            true => Ok(index),
            false => Err(Box::new(Diagnostic::new(at, format!("there is no element {index}, the list has {count}")))),
        };
    }
    let mut found = items.iter().enumerate().filter(|(_, item)| item.name() == Some(segment));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (None, _) => {
            let mut names: Vec<&str> = Vec::new();
            for name in items.iter().filter_map(Node::name) {
                // a longer list is not shown, so that more of it need not be known
                if names.len() < MOST_NAMES && !names.contains(&name) {
                    names.push(name);
                }
            }
            Err(Box::new(unknown(at, &format!("the list has no `{segment}`"), segment, &names)))
        }
        (Some((first, _)), Some((second, _))) => {
            let message = format!("`{segment}` is in the list more than once, at {first} and {second}: use an index");
            Err(Box::new(Diagnostic::new(at, message)))
        }
    }
}

/// Replaces a value by what is made of it.
pub(super) fn replace_with(value: &mut Node, make: impl FnOnce(Node) -> Node) {
    let old = std::mem::replace(value, Node::new(Kind::Unit));
    *value = make(old);
}

/// Whether there is nothing: not given, `None`, or taken back.
fn is_absent(node: &Node) -> bool {
    matches!(node.kind, Kind::Unit) && node.name().is_none_or(|name| matches!(name, "None" | "Default"))
}

/// `Default`: what earlier layers say of a field is taken back.
fn is_default(node: &Node) -> bool {
    matches!(node.kind, Kind::Unit) && node.name() == Some("Default")
}

/// `None`, `Off` of a hook, and `Default`: words of the format for what is not there.
pub(super) fn is_nothing(name: Option<&Name>) -> bool {
    name.is_some_and(|name| matches!(name.text.as_str(), "None" | "Off" | "Default"))
}

/// `()` or `Name()` or a bare `Name`: a struct of which no field is given.
fn is_empty(kind: &Kind) -> bool {
    match kind {
        Kind::Unit => true,
        Kind::Tuple(items) => items.is_empty(),
        _ => false,
    }
}

/// Fields without a name: they change those of another value.
fn is_patch(node: &Node) -> bool {
    node.name.is_none() && (matches!(node.kind, Kind::Struct(_)) || is_empty(&node.kind))
}

/// `()`
fn says_nothing(node: &Node) -> bool {
    node.name.is_none() && is_empty(&node.kind)
}

fn operator(node: &Node) -> Option<Operator> {
    let Kind::Tuple(items) = &node.kind else { return None };
    let known = match node.name()? {
        "Append" => Operator::Append,
        "Prepend" => Operator::Prepend,
        "Patch" => Operator::Patch,
        "Replace" => Operator::Replace,
        THEN => return Some(Operator::Then),
        _ => return None,
    };
    (items.len() == 1).then_some(known)
}

/// What to do once there is a list: first the one, then the other.
fn then(first: Node, second: Node) -> Node {
    let span = second.span;
    Node { span, ..Node::named(THEN, Kind::Tuple(vec![first, second])) }
}

/// The two of [`Operator::Then`].
fn steps(node: Node) -> (Node, Node) {
    let Kind::Tuple(items) = node.kind else { return (Node::new(Kind::Unit), Node::new(Kind::Unit)) };
    let mut items = items.into_iter();
    let mut next = || items.next().unwrap_or_else(|| Node::new(Kind::Unit));
    (next(), next())
}

/// What `Name(..)` of one value holds; the value itself when it is of another form.
fn inner(mut node: Node) -> Node {
    match &mut node.kind {
        Kind::Tuple(items) if items.len() == 1 => items.pop().unwrap_or(node),
        _ => node,
    }
}

/// Makes something of what `Name(..)` of one value holds.
fn within(mut wrapper: Node, make: impl FnOnce(Node) -> Node) -> Node {
    if let Kind::Tuple(items) = &mut wrapper.kind
        && let Some(item) = items.first_mut()
    {
        replace_with(item, make);
    }
    wrapper
}

/// The index or name that a key of `Patch` says.
fn segment(key: &Node) -> Option<String> {
    match (&key.kind, &key.name) {
        (Kind::Str(text), _) => Some(text.clone()),
        (Kind::Int(index), _) => Some(index.to_string()),
        (Kind::Unit, Some(Name { text, .. })) => Some(text.clone()),
        _ => None,
    }
}

fn numbered(keys: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    keys.enumerate().map(|(index, key)| (key, index)).collect()
}
