//! What a setting is, in the words of an experiment file: for `list` and `new`.

use crate::base::checked::in_words;
use crate::config::registry::{Component, FieldInfo};
use crate::config::{Kind, Node, Shape, print_line};

/// Texts are broken so that they end before this column.
const WIDTH: usize = 100;

/// `u64, at least 1`.
pub(super) fn type_of(field: &FieldInfo) -> String {
    let shape = (field.shape)().to_string();
    match field.range {
        Some(range) => format!("{shape}, {}", in_words(range)),
        None => shape,
    }
}

/// The default as a file writes it, if there is one.
pub(super) fn default_of(field: &FieldInfo) -> Option<String> {
    field.default.map(|default| default().map_or_else(|error| format!("({error})"), |node| print_line(&node)))
}

/// The first paragraph of a doc comment, its lines joined: they are broken where its source ends a line. Of links to
/// other items only the text stays.
pub(super) fn first_paragraph(docs: &str) -> String {
    let lines = docs.lines().map(str::trim).take_while(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        rest = match link.split_once(']') {
            Some((shown, after)) if shown.starts_with('`') && shown.ends_with('`') => {
                plain.push_str(shown);
                after.strip_prefix('(').and_then(|target| target.split_once(')')).map_or(after, |(_, after)| after)
            }
            _ => {
                plain.push('[');
                link
            }
        };
    }
    plain.push_str(rest);
    plain
}

/// A text in lines that leave room for what is put before each.
pub(super) fn wrapped(text: &str, before: usize) -> Vec<String> {
    let room = WIDTH.saturating_sub(before).max(20);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A value of this shape for those who have none yet: the default or example of each field, else the least. Of several
/// names, that which is like `wanted` is taken: a loader `val` reads a part `Val`.
pub(super) fn value_of(shape: &Shape, wanted: &str) -> Node {
    match shape {
        Shape::Bool => Node::new(Kind::Bool(false)),
        Shape::Int(_) => Node::new(Kind::Int(1)),
        Shape::Float => Node::new(Kind::Float(1.0)),
        Shape::Char => Node::new(Kind::Char('x')),
        Shape::Text => Node::new(Kind::Str("text".to_owned())),
        Shape::FilePath => Node::new(Kind::Str("path/to/it".to_owned())),
        Shape::Bytes => Node::new(Kind::Bytes(Vec::new())),
        Shape::Unit | Shape::Anything(_) => Node::new(Kind::Unit),
        Shape::Optional(_) => Node::named("None", Kind::Unit),
        Shape::List(_) => Node::new(Kind::Seq(Vec::new())),
        Shape::Tuple(items) => Node::new(Kind::Tuple(items.iter().map(|item| value_of(item, wanted)).collect())),
        Shape::Pairs(..) => Node::new(Kind::Map(Vec::new())),
        Shape::Struct(name, fields) => match Component::of_struct(name, fields.iter().map(|(key, _)| *key)) {
            Some(component) => {
                let values = fields
                    .iter()
                    .zip(component.fields)
                    .map(|((key, shape), info)| (*key, setting(info, shape, wanted)));
                Node::new(structure(values))
            }
            None => Node::new(structure(fields.iter().map(|(key, shape)| (*key, value_of(shape, wanted))))),
        },
        Shape::Enum(variants) => {
            let like = variants.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            match like.or(variants.first()) {
                Some((name, Shape::Unit)) => Node::named(*name, Kind::Unit),
                Some((name, payload @ (Shape::Struct(..) | Shape::Tuple(_)))) => {
                    Node::named(*name, value_of(payload, wanted).kind)
                }
                Some((name, payload)) => Node::named(*name, Kind::Tuple(vec![value_of(payload, wanted)])),
                None => Node::new(Kind::Unit),
            }
        }
        Shape::Component(kind, names) => match names.first().and_then(|name| Component::find(kind, name)) {
            Some(component) => value_of_component(component, wanted),
            None => Node::new(Kind::Unit),
        },
    }
}

/// A component with all its settings.
pub(super) fn value_of_component(component: &Component, wanted: &str) -> Node {
    let values = component.fields.iter().map(|info| (info.name, setting(info, &(info.shape)(), wanted)));
    Node::named(component.name, structure(values))
}

/// A component with those of its settings that have no default.
pub(super) fn least_of_component(component: &Component) -> Node {
    let required = component.fields.iter().filter(|info| info.default.is_none());
    Node::named(component.name, structure(required.map(|info| (info.name, setting(info, &(info.shape)(), "")))))
}

/// A value for a field: its default, else its example, else one within its range.
fn setting(info: &FieldInfo, shape: &Shape, wanted: &str) -> Node {
    let told = info.default.or(info.example).and_then(|value| value().ok());
    told.unwrap_or_else(|| {
        let least = info.range.and_then(|range| range.split("..").next()).unwrap_or_default().trim();
        match shape {
            Shape::Int(_) => Node::new(Kind::Int(least.replace('_', "").parse().unwrap_or(1))),
            Shape::Float => Node::new(Kind::Float(least.replace('_', "").parse().unwrap_or(1.0))),
            _ => value_of(shape, wanted),
        }
    })
}

fn structure<'k>(values: impl Iterator<Item = (&'k str, Node)>) -> Kind {
    Kind::Struct(values.map(|(key, value)| crate::config::Field::new(key, value)).collect())
}
