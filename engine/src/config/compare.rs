//! Two trees side by side: where the values of one were written in the other, and what differs between two.

use super::print::{key_text, print_line};
use super::tree::{Field, Kind, Node, Span};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Gives every value of a complete tree the place at which `written` has it. What was not written keeps none.
pub fn adopt_places(complete: &mut Node, written: &Node) {
    complete.span = written.span;
    let written = written.some_inner().unwrap_or(written);
    match (&mut complete.kind, &written.kind) {
        (Kind::Struct(fields), Kind::Struct(others)) => {
            let others = by_key(others);
            for field in fields {
                if let Some(other) = others.get(field.key.as_str()) {
                    field.key_span = other.key_span;
                    adopt_places(&mut field.value, &other.value);
                }
            }
        }
        (Kind::Seq(items) | Kind::Tuple(items), Kind::Seq(others) | Kind::Tuple(others)) => {
            let partners = partners(items, others);
            for (item, partner) in items.iter_mut().zip(partners) {
                if let Some(partner) = partner {
                    adopt_places(item, &others[partner]);
                }
            }
        }
        (Kind::Map(pairs), Kind::Map(others)) => {
            let others: BTreeMap<String, &(Node, Node)> = others.iter().map(|pair| (key_text(&pair.0), pair)).collect();
            for (key, value) in pairs {
                if let Some((other_key, other)) = others.get(&key_text(key)) {
                    key.span = other_key.span;
                    adopt_places(value, other);
                }
            }
        }
        _ => {}
    }
}

/// One value that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Where it stands, `optimizer.lr`.
    pub path: String,
    /// What the first tree has there.
    pub before: Option<Node>,
    /// What the second has.
    pub after: Option<Node>,
}

/// Every value in which two trees differ, as far down as they have a value in common.
pub fn differences(before: &Node, after: &Node) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Node, after: &Node, found: &mut Vec<Difference>) {
    let differ = |path: &str, before: Option<&Node>, after: Option<&Node>| Difference {
        path: path.to_owned(),
        before: before.cloned(),
        after: after.cloned(),
    };
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (&before.kind, &after.kind) {
        (Kind::Struct(fields), Kind::Struct(others)) if before.name() == after.name() => {
            let (known, others_by_key) = (by_key(fields), by_key(others));
            for field in fields {
                match others_by_key.get(field.key.as_str()) {
                    Some(other) => compare(&inner(&field.key), &field.value, &other.value, found),
                    None => found.push(differ(&inner(&field.key), Some(&field.value), None)),
                }
            }
            for other in others.iter().filter(|other| !known.contains_key(other.key.as_str())) {
                found.push(differ(&inner(&other.key), None, Some(&other.value)));
            }
        }
        (Kind::Seq(items), Kind::Seq(others)) if items.iter().chain(others).any(|item| item.name().is_some()) => {
            let partners = partners(items, others);
            for ((item, key), partner) in items.iter().zip(keys(items)).zip(&partners) {
                match partner {
                    Some(partner) => compare(&inner(&key), item, &others[*partner], found),
                    None => found.push(differ(&inner(&key), Some(item), None)),
                }
            }
            let known: BTreeSet<usize> = partners.into_iter().flatten().collect();
            for (index, (other, key)) in others.iter().zip(keys(others)).enumerate() {
                if !known.contains(&index) {
                    found.push(differ(&inner(&key), None, Some(other)));
                }
            }
        }
        _ if print_line(before) == print_line(after) => {}
        _ => found.push(differ(path, Some(before), Some(after))),
    }
}

fn by_key(fields: &[Field]) -> BTreeMap<&str, &Field> {
    fields.iter().map(|field| (field.key.as_str(), field)).collect()
}

/// What the items of a list are called in a path: a name that only one has, else the index.
fn keys(items: &[Node]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in items.iter().filter_map(Node::name) {
        *counts.entry(name).or_default() += 1;
    }
    let key = |(index, item): (usize, &Node)| match item.name() {
        Some(name) if counts.get(name) == Some(&1) => name.to_owned(),
        _ => index.to_string(),
    };
    items.iter().enumerate().map(key).collect()
}

/// The item of another list that each one belongs to: those of one name in their order; without names, those of one
/// place.
fn partners(items: &[Node], others: &[Node]) -> Vec<Option<usize>> {
    let mut named: BTreeMap<&str, VecDeque<usize>> = BTreeMap::new();
    for (index, other) in others.iter().enumerate() {
        other.name().into_iter().for_each(|name| named.entry(name).or_default().push_back(index));
    }
    let partner = |(index, item): (usize, &Node)| match item.name() {
        None => Some(index).filter(|index| others.get(*index).is_some_and(|other| other.name().is_none())),
        Some(name) => named.get_mut(name).and_then(VecDeque::pop_front),
    };
    items.iter().enumerate().map(partner).collect()
}

impl Difference {
    /// Where both values were written; nowhere for a default.
    pub fn places(&self) -> (Span, Span) {
        let place = |node: &Option<Node>| node.as_ref().map_or(Span::NONE, |node| node.span);
        (place(&self.before), place(&self.after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_text;

    fn tree(text: &str) -> Node {
        parse_text("a.ron", text).unwrap().root
    }

    fn told(before: &str, after: &str) -> Vec<String> {
        let text = |node: &Option<Node>| node.as_ref().map_or("nothing".to_owned(), print_line);
        let found = differences(&tree(before), &tree(after));
        found.iter().map(|found| format!("{}: {} -> {}", found.path, text(&found.before), text(&found.after))).collect()
    }

    #[test]
    fn equal_trees_differ_in_nothing() {
        let text = "(a: 1, b: [A(x: 1), B], c: {\"k\": 2}, d: None)";
        assert!(told(text, text).is_empty());
        assert!(told("(a: 1.0)", "(a: 1e0)").is_empty());
    }

    #[test]
    fn what_differs_is_told_at_the_innermost_value_that_both_have() {
        assert_eq!(told("(o: A(lr: 1, x: 2))", "(o: A(lr: 3, x: 2))"), ["o.lr: 1 -> 3"]);
        assert_eq!(told("(o: A(lr: 1))", "(o: B(lr: 1))"), ["o: A(lr: 1) -> B(lr: 1)"]);
        assert_eq!(told("(a: 1)", "(b: 1)"), ["a: 1 -> nothing", "b: nothing -> 1"]);
        assert_eq!(told("(a: [1, 2])", "(a: [1, 3])"), ["a: [1, 2] -> [1, 3]"]);
    }

    #[test]
    fn components_of_a_list_are_found_by_their_names() {
        assert_eq!(told("(h: [A(x: 1), B])", "(h: [B, A(x: 2)])"), ["h.A.x: 1 -> 2"]);
        assert_eq!(told("(h: [A, B])", "(h: [B, C])"), ["h.A: A -> nothing", "h.C: nothing -> C"]);
        assert_eq!(told("(h: [A(x: 1), A(x: 2)])", "(h: [A(x: 1), A(x: 3)])"), ["h.1.x: 2 -> 3"]);
    }

    #[test]
    fn a_complete_tree_takes_over_where_its_values_were_written() {
        let mut complete = tree("(a: 1, b: [A(x: 1, y: 2), B], c: None)");
        clear(&mut complete);
        adopt_places(&mut complete, &tree("(b: [B, A(y: 2)])"));
        let place = |path: &str| complete.find(path).unwrap().span;
        assert!(place("b.0.y").is_some() && place("b.1").is_some());
        assert!(!place("a").is_some() && !place("b.0.x").is_some() && !place("c").is_some());
    }

    /// So long that a comparison of each with each would take minutes.
    #[test]
    fn long_lists_are_compared() {
        const LENGTH: usize = 100_000;
        let list = |last: &str| {
            let items = (1..LENGTH).map(|_| Node::named("A", Kind::Unit));
            Node::new(Kind::Seq(items.chain([Node::named(last, Kind::Unit)]).collect()))
        };
        let fields = |prefix: &str| {
            let fields = (0..LENGTH).map(|index| Field::new(format!("{prefix}{index}"), Node::new(Kind::Unit)));
            Node::new(Kind::Struct(fields.collect()))
        };
        let whole = |last: &str| {
            let key = |index: usize| (Node::new(Kind::Int(index as i128)), Node::new(Kind::Unit));
            let map = Node::new(Kind::Map((0..LENGTH).map(key).collect()));
            let fields = [("list", list(last)), ("fields", fields("a")), ("map", map)];
            Node::new(Kind::Struct(fields.map(|(key, value)| Field::new(key, value)).into()))
        };
        let found = differences(&whole("B"), &whole("C"));
        assert_eq!(found.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), ["list.B", "list.C"]);
        assert_eq!(differences(&fields("a"), &fields("b")).len(), 2 * LENGTH);
        adopt_places(&mut whole("B"), &whole("B"));
    }

    fn clear(node: &mut Node) {
        node.span = Span::NONE;
        match &mut node.kind {
            Kind::Struct(fields) => fields.iter_mut().for_each(|field| clear(&mut field.value)),
            Kind::Seq(items) | Kind::Tuple(items) => items.iter_mut().for_each(clear),
            _ => {}
        }
    }
}
