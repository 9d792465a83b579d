//! From tree to text: what is printed is read back as the same tree.

use super::identifier::is_plain_identifier;
use super::tree::{Field, Kind, Node};
use std::fmt::Write as _;

/// Lists, tuples and structs longer than this are printed over several lines.
const WIDTH: usize = 100;
const INDENT: usize = 4;

/// The text of a tree, with a line end.
///
/// ```
/// let document = engine::config::parse_text("exp.ron", "( seed:0x07,name : \"a\" )")?;
/// assert_eq!(engine::config::print(&document.root), "(\n    seed: 7,\n    name: \"a\",\n)\n");
/// # Ok::<(), engine::base::Error>(())
/// ```
pub fn print(node: &Node) -> String {
    print_with_notes(node, &|_| None)
}

/// The text of a tree on one line, however long, without a line end.
pub fn print_line(node: &Node) -> String {
    let mut text = String::new();
    one_line(node, &mut text, usize::MAX);
    text
}

/// What a line comment can be about.
#[derive(Clone, Copy, Debug)]
pub enum Noted<'n> {
    /// A field.
    Field(&'n Field),
    /// An element whose list can't say it: layers have put it there, or other elements have fields that speak for them.
    Element(&'n Node),
}

/// The text of a tree, with a line comment after all that `note` has something to say of.
pub fn print_with_notes(node: &Node, note: &dyn Fn(Noted<'_>) -> Option<String>) -> String {
    let mut printer = Printer { text: String::new(), note };
    printer.node(node, 0);
    printer.text.push('\n');
    printer.text
}

/// The text of a map's key, in one line: equal for equal keys.
pub(super) fn key_text(key: &Node) -> String {
    print_line(key)
}

struct Printer<'n> {
    text: String,
    note: &'n dyn Fn(Noted<'_>) -> Option<String>,
}

impl Printer<'_> {
    fn node(&mut self, node: &Node, depth: usize) {
        if self.has_notes(node) || !self.fits(node, depth) {
            self.broken(node, depth);
        }
    }

    /// Prints on one line, when that is short enough.
    fn fits(&mut self, node: &Node, depth: usize) -> bool {
        let before = self.text.len();
        // the outermost struct always has a line for each of its fields
        let outermost = depth == 0 && matches!(node.kind, Kind::Struct(_));
        let fits = !outermost && one_line(node, &mut self.text, before + WIDTH.saturating_sub(depth * INDENT));
        if !fits {
            self.text.truncate(before);
        }
        fits
    }

    fn broken(&mut self, node: &Node, depth: usize) {
        match &node.kind {
            Kind::Struct(fields) => {
                self.open(node, '(');
                for field in fields {
                    self.line(depth + 1);
                    push_identifier(&mut self.text, &field.key);
                    self.text.push_str(": ");
                    self.node(&field.value, depth + 1);
                    self.text.push(',');
                    self.note((self.note)(Noted::Field(field)));
                }
                self.close(depth, ')');
            }
            Kind::Tuple(items) => self.items(node, items, ('(', ')'), depth),
            Kind::Seq(items) => self.items(node, items, ('[', ']'), depth),
            Kind::Map(pairs) => {
                self.open(node, '{');
                for (key, value) in pairs {
                    self.line(depth + 1);
                    self.node(key, depth + 1);
                    self.text.push_str(": ");
                    self.node(value, depth + 1);
                    self.text.push(',');
                }
                self.close(depth, '}');
            }
            // a scalar has no other form
            _ => {
                one_line(node, &mut self.text, usize::MAX);
            }
        }
    }

    fn items(&mut self, node: &Node, items: &[Node], (open, close): (char, char), depth: usize) {
        self.open(node, open);
        let fields = node.holds_fields();
        for item in items {
            self.line(depth + 1);
            self.node(item, depth + 1);
            self.text.push(',');
            self.note(self.note_of(node, fields, item));
        }
        self.close(depth, close);
    }

    fn note(&mut self, note: Option<String>) {
        if let Some(note) = note {
            let note: Vec<&str> = note.lines().collect();
            let _ = write!(self.text, "  // {}", note.join(" "));
        }
    }

    /// The note of an element. Whether its list `holds_fields` is asked once for each list, since that looks at all of it.
    fn note_of(&self, list: &Node, holds_fields: bool, element: &Node) -> Option<String> {
        if !element.span.is_some() || element.holds_fields() {
            return None;
        }
        let joined = list.span.is_some() && !list.span.holds(element.span);
        if joined || holds_fields { (self.note)(Noted::Element(element)) } else { None }
    }

    fn open(&mut self, node: &Node, open: char) {
        if let Some(name) = node.name() {
            push_identifier(&mut self.text, name);
        }
        self.text.push(open);
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', depth * INDENT));
    }

    fn close(&mut self, depth: usize, close: char) {
        self.line(depth);
        self.text.push(close);
    }

    fn has_notes(&self, node: &Node) -> bool {
        match &node.kind {
            Kind::Struct(fields) => {
                fields.iter().any(|field| (self.note)(Noted::Field(field)).is_some() || self.has_notes(&field.value))
            }
            Kind::Seq(items) | Kind::Tuple(items) => {
                let fields = node.holds_fields();
                items.iter().any(|item| self.note_of(node, fields, item).is_some() || self.has_notes(item))
            }
            Kind::Map(pairs) => pairs.iter().any(|(_, value)| self.has_notes(value)),
            _ => false,
        }
    }
}

/// Prints without line ends; gives up when the text becomes longer than `limit`.
fn one_line(node: &Node, text: &mut String, limit: usize) -> bool {
    if let Some(name) = node.name() {
        push_identifier(text, name);
    }
    match &node.kind {
        Kind::Bool(value) => push(text, value),
        Kind::Int(value) => push(text, value),
        Kind::Float(value) if value.is_nan() => text.push_str("NaN"),
        Kind::Float(value) => push(text, format_args!("{value:?}")),
        Kind::Str(value) => push(text, format_args!("{value:?}")),
        Kind::Char(value) => push(text, format_args!("{value:?}")),
        Kind::Bytes(bytes) => push(text, format_args!("b\"{}\"", bytes.escape_ascii())),
        Kind::Unit if node.name.is_some() => {}
        Kind::Unit => text.push_str("()"),
        Kind::Tuple(items) => return list(text, ('(', ')'), items, limit, |item, text| one_line(item, text, limit)),
        Kind::Seq(items) => return list(text, ('[', ']'), items, limit, |item, text| one_line(item, text, limit)),
        Kind::Struct(fields) => {
            return list(text, ('(', ')'), fields, limit, |field, text| {
                push_identifier(text, &field.key);
                text.push_str(": ");
                one_line(&field.value, text, limit)
            });
        }
        Kind::Map(pairs) => {
            return list(text, ('{', '}'), pairs, limit, |(key, value), text| {
                let key = one_line(key, text, limit);
                text.push_str(": ");
                key && one_line(value, text, limit)
            });
        }
    }
    text.len() <= limit
}

fn list<T>(
    text: &mut String,
    (open, close): (char, char),
    items: &[T],
    limit: usize,
    mut print: impl FnMut(&T, &mut String) -> bool,
) -> bool {
    text.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        if !print(item, text) {
            return false;
        }
    }
    text.push(close);
    text.len() <= limit
}

fn push(text: &mut String, value: impl std::fmt::Display) {
    // writing to a `String` never fails
    let _ = write!(text, "{value}");
}

fn push_identifier(text: &mut String, name: &str) {
    if !is_plain_identifier(name) {
        text.push_str("r#");
    }
    text.push_str(name);
}
