//! Two trees side by side: where the values of one were written in the other, and what differs between two.

use super::print::print_line;
use super::tree::{Kind, Node, Span};

/// Gives every value of a complete tree the place at which `written` has it. What was not written keeps none.
pub fn adopt_places(complete: &mut Node, written: &Node) {
    complete.span = written.span;
    let written = written.some_inner().unwrap_or(written);
    match (&mut complete.kind, &written.kind) {
        (Kind::Struct(fields), Kind::Struct(others)) => {
            for field in fields {
                if let Some(other) = others.iter().find(|other| other.key == field.key) {
                    field.key_span = other.key_span;
                    adopt_places(&mut field.value, &other.value);
                }
            }
        }
        (Kind::Seq(items) | Kind::Tuple(items), Kind::Seq(others) | Kind::Tuple(others)) => {
            for (item, other) in pairs_of(items, others) {
                adopt_places(&mut items[item], &others[other]);
            }
        }
        (Kind::Map(pairs), Kind::Map(others)) => {
            for (key, value) in pairs {
                let key_text = print_line(key);
                if let Some((other_key, other)) = others.iter().find(|(other, _)| print_line(other) == key_text) {
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
            for field in fields {
                match after.get(&field.key) {
                    Some(other) => compare(&inner(&field.key), &field.value, other, found),
                    None => found.push(differ(&inner(&field.key), Some(&field.value), None)),
                }
            }
            for other in others.iter().filter(|other| before.get(&other.key).is_none()) {
                found.push(differ(&inner(&other.key), None, Some(&other.value)));
            }
        }
        (Kind::Seq(items), Kind::Seq(others)) if items.iter().chain(others).any(|item| item.name().is_some()) => {
            let pairs = pairs_of(items, others);
            let key = |items: &[Node], index: usize| match items[index].name() {
                Some(name) if items.iter().filter(|item| item.name() == Some(name)).count() == 1 => name.to_owned(),
                _ => index.to_string(),
            };
            for (index, item) in items.iter().enumerate() {
                let path = inner(&key(items, index));
                match pairs.iter().find(|(known, _)| *known == index) {
                    Some((_, other)) => compare(&path, item, &others[*other], found),
                    None => found.push(differ(&path, Some(item), None)),
                }
            }
            for (index, other) in others.iter().enumerate() {
                if pairs.iter().all(|(_, known)| *known != index) {
                    found.push(differ(&inner(&key(others, index)), None, Some(other)));
                }
            }
        }
        _ if print_line(before) == print_line(after) => {}
        _ => found.push(differ(path, Some(before), Some(after))),
    }
}

/// Which items of two lists belong together: those of one name in their order; without names, those of one place.
fn pairs_of(items: &[Node], others: &[Node]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let partner = match item.name() {
            None => Some(index).filter(|index| others.get(*index).is_some_and(|other| other.name().is_none())),
            Some(name) => (0..others.len())
                .find(|other| others[*other].name() == Some(name) && pairs.iter().all(|(_, taken)| taken != other)),
        };
        pairs.extend(partner.map(|partner| (index, partner)));
    }
    pairs
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

    fn clear(node: &mut Node) {
        node.span = Span::NONE;
        match &mut node.kind {
            Kind::Struct(fields) => fields.iter_mut().for_each(|field| clear(&mut field.value)),
            Kind::Seq(items) | Kind::Tuple(items) => items.iter_mut().for_each(clear),
            _ => {}
        }
    }
}
