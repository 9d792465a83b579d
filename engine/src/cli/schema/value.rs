//! Values of a tree as JSON.

use crate::config::{Kind, Node, print_line};
use serde_json::{Map, Value, json};

/// A value; `None` for what JSON can't hold, such as an infinite number.
pub(super) fn of(node: &Node) -> Option<Value> {
    match (node.name(), &node.kind) {
        (Some("None"), Kind::Unit) => Some(Value::Null),
        (Some("Some"), Kind::Tuple(items)) if items.len() == 1 => of(&items[0]),
        (Some(name), Kind::Unit) => Some(json!(name)),
        (Some(name), Kind::Tuple(items)) if items.len() == 1 => Some(json!({name: of(&items[0])?})),
        (Some(name), kind) => Some(json!({name: unnamed(kind)?})),
        (None, kind) => unnamed(kind),
    }
}

fn unnamed(kind: &Kind) -> Option<Value> {
    Some(match kind {
        Kind::Unit => Value::Null,
        Kind::Bool(value) => json!(value),
        Kind::Int(value) => {
            json!(i64::try_from(*value).map(Value::from).or_else(|_| u64::try_from(*value).map(Value::from)).ok()?)
        }
        Kind::Float(value) => Value::Number(serde_json::Number::from_f64(*value)?),
        Kind::Char(value) => json!(value.to_string()),
        Kind::Str(text) => json!(text),
        Kind::Bytes(bytes) => json!(bytes),
        Kind::Seq(items) | Kind::Tuple(items) => Value::Array(items.iter().map(of).collect::<Option<_>>()?),
        Kind::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| Some((key_of(key), of(value)?)));
            Value::Object(pairs.collect::<Option<Map<String, Value>>>()?)
        }
        Kind::Struct(fields) => {
            let fields = fields.iter().map(|field| Some((field.key.clone(), of(&field.value)?)));
            Value::Object(fields.collect::<Option<Map<String, Value>>>()?)
        }
    })
}

fn key_of(key: &Node) -> String {
    match &key.kind {
        Kind::Str(text) => text.clone(),
        _ => print_line(key),
    }
}
