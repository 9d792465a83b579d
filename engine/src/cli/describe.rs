//! What a setting is, in the words of an experiment file: for `list` and `new`.

use crate::base::checked::in_words;
use crate::config::registry::{Component, FieldInfo};
use crate::config::{Field, Kind, Node, Shape, print_line};
use crate::metric::MetricName;

/// Texts are broken so that they end before this column.
const WIDTH: usize = 100;

/// What several components of a kind are called: `hooks`, `settings`.
pub(super) fn plural(kind: &str) -> String {
    if kind.ends_with('s') { kind.to_owned() } else { format!("{kind}s") }
}

/// `u64, at least 1`.
pub(super) fn type_of(field: &FieldInfo) -> String {
    type_with(&(field.shape)(), field.demand)
}

/// As [`type_of`], of a shape and what is demanded besides.
pub(super) fn type_with(shape: &Shape, demand: Option<&str>) -> String {
    match demand {
        Some(demand) => format!("{shape}, {}", in_words(demand)),
        None => shape.to_string(),
    }
}

/// The default as a file writes it, if there is one.
pub(super) fn default_of(field: &FieldInfo) -> Option<String> {
    field.default.map(|default| default().map_or_else(|error| format!("({error})"), |node| print_line(&node)))
}

/// The component that `new` writes, of those that could stand there: what most people begin with, or else the first.
fn usual(names: &[&'static str]) -> Option<&'static str> {
    const USUAL: [&str; 1] = ["AdamW"];
    names.iter().find(|name| USUAL.contains(name)).or(names.first()).copied()
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

/// Makes up values for those who have none yet: the default or example of each field, else the least.
#[derive(Clone, Copy, Debug)]
pub(super) struct MakeUp<'a> {
    /// Of several names, that which is like this one is taken: a loader `val` reads a part `Val`.
    pub(super) like: &'a str,
    /// A metric that there is, to be watched.
    pub(super) metric: Option<&'a str>,
}

impl MakeUp<'_> {
    /// A value of a shape.
    pub(super) fn value(&self, shape: &Shape) -> Node {
        match shape {
            Shape::Bool => Node::new(Kind::Bool(false)),
            Shape::Int(_) => Node::new(Kind::Int(1)),
            Shape::Float => Node::new(Kind::Float(1.0)),
            Shape::Char => Node::new(Kind::Char('x')),
            Shape::Text(word) => Node::new(Kind::Str(word.clone())),
            Shape::FilePath => Node::new(Kind::Str("path/to/it".to_owned())),
            Shape::Bytes => Node::new(Kind::Bytes(Vec::new())),
            Shape::Unit | Shape::Anything(_) => Node::new(Kind::Unit),
            Shape::Optional(_) => Node::named("None", Kind::Unit),
            Shape::List(_) => Node::new(Kind::Seq(Vec::new())),
            Shape::Tuple(items) => Node::new(Kind::Tuple(items.iter().map(|item| self.value(item)).collect())),
            Shape::Pairs(..) => Node::new(Kind::Map(Vec::new())),
            Shape::Struct(name, fields) => self.of_struct(name, fields),
            Shape::Enum(variants) => self.variant(variants),
            Shape::Component(kind, names) => match usual(names).and_then(|name| Component::find(kind, name)) {
                Some(component) => self.component(component),
                None => Node::new(Kind::Unit),
            },
        }
    }

    /// A component with all its settings.
    pub(super) fn component(&self, component: &Component) -> Node {
        let values = component.fields.iter().map(|info| (info.name, self.setting(info, &(info.shape)())));
        Node::named(component.name, structure(values))
    }

    /// A component with those of its settings that have no default.
    pub(super) fn least_of(&self, component: &Component) -> Node {
        let required = component.fields.iter().filter(|info| info.default.is_none());
        Node::named(component.name, structure(required.map(|info| (info.name, self.setting(info, &(info.shape)())))))
    }

    fn of_struct(&self, name: &str, fields: &[(&'static str, Shape)]) -> Node {
        let Some(component) = Component::of_struct(name, fields.iter().map(|(key, _)| *key)) else {
            return Node::new(structure(fields.iter().map(|(key, shape)| (*key, self.value(shape)))));
        };
        let values = fields.iter().zip(component.fields).map(|((key, shape), info)| (*key, self.setting(info, shape)));
        match component.kind {
            // the key says what they are
            "settings" | "hook" => Node::new(structure(values)),
            _ => Node::named(component.name, structure(values)),
        }
    }

    fn variant(&self, variants: &[(&'static str, Shape)]) -> Node {
        let like = variants.iter().find(|(name, _)| name.eq_ignore_ascii_case(self.like));
        match like.or(variants.first()) {
            Some((name, Shape::Unit)) => Node::named(*name, Kind::Unit),
            Some((name, payload @ (Shape::Struct(..) | Shape::Tuple(_)))) => {
                Node::named(*name, self.value(payload).kind)
            }
            Some((name, payload)) => Node::named(*name, Kind::Tuple(vec![self.value(payload)])),
            None => Node::new(Kind::Unit),
        }
    }

    /// A value for a field: its default, else a metric that there is, its example, or one within its range.
    fn setting(&self, info: &FieldInfo, shape: &Shape) -> Node {
        if let Some(Ok(default)) = info.default.map(|default| default()) {
            return default;
        }
        if let (Shape::Text(word), Some(metric)) = (shape, self.metric)
            && word == MetricName::WORD
        {
            return Node::new(Kind::Str(metric.to_owned()));
        }
        if let Some(Ok(example)) = info.example.map(|example| example()) {
            return example;
        }
        let least = info.demand.and_then(|demand| demand.split("..").next()).unwrap_or_default().trim();
        match shape {
            Shape::Int(_) => Node::new(Kind::Int(least.replace('_', "").parse().unwrap_or(1))),
            Shape::Float => Node::new(Kind::Float(least.replace('_', "").parse().unwrap_or(1.0))),
            _ => self.value(shape),
        }
    }
}

fn structure<'k>(values: impl Iterator<Item = (&'k str, Node)>) -> Kind {
    Kind::Struct(values.map(|(key, value)| Field::new(key, value)).collect())
}
