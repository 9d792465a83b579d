//! Shapes of types as JSON schemas. Components are definitions, each once: they can hold each other.

use super::{range, value};
use crate::cli::describe::first_paragraph;
use crate::config::registry::{Component, FieldInfo};
use crate::config::{Node, Shape};
use crate::trainer::Section;
use serde_json::{Map, Value, json};

/// The definitions that were needed so far.
#[derive(Default)]
pub(super) struct Shapes {
    definitions: Map<String, Value>,
}

impl Shapes {
    pub(super) fn into_definitions(self) -> Value {
        Value::Object(self.definitions)
    }

    /// What a shape accepts, of which this is demanded.
    pub(super) fn of(&mut self, shape: &Shape, demand: Option<&str>) -> Value {
        let mut schema = match shape {
            Shape::Bool => json!({"type": "boolean"}),
            Shape::Int(name) if name.starts_with('u') => json!({"type": "integer", "minimum": 0}),
            Shape::Int(_) => json!({"type": "integer"}),
            Shape::Float => json!({"type": "number"}),
            Shape::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
            Shape::Text(_) | Shape::FilePath => json!({"type": "string"}),
            Shape::Bytes => json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}),
            Shape::Unit => json!({"type": "null"}),
            Shape::Optional(inner) => return json!({"anyOf": [self.of(inner, demand), {"type": "null"}]}),
            Shape::List(item) => json!({"type": "array", "items": self.of(item, None)}),
            Shape::Tuple(items) => {
                let (count, items) = (items.len(), items.iter().map(|item| self.of(item, None)).collect::<Vec<_>>());
                json!({"type": "array", "prefixItems": items, "minItems": count, "maxItems": count})
            }
            Shape::Pairs(_, value) => json!({"type": "object", "additionalProperties": self.of(value, None)}),
            Shape::Struct(name, fields) => self.of_struct(name, fields),
            Shape::Enum(variants) => {
                let variants = variants.iter().map(|(name, payload)| self.variant(name, payload)).collect::<Vec<_>>();
                json!({"anyOf": variants})
            }
            Shape::Component(kind, names) => {
                let found = names.iter().filter_map(|name| Component::find(kind, name));
                match found.map(|component| self.chosen(component)).collect::<Vec<_>>() {
                    // the program has none
                    none if none.is_empty() => json!({"not": {}}),
                    known => json!({"anyOf": known}),
                }
            }
            Shape::Anything(_) => json!({}),
        };
        if let (Shape::Int(_) | Shape::Float, Some(demand)) = (shape, demand) {
            range::add(&mut schema, demand);
        }
        schema
    }

    /// An entry of the list of metrics, by its name.
    pub(super) fn entry(&mut self, section: &Section) -> Value {
        match &section.shape {
            Shape::List(item) => self.of(item, None),
            Shape::Struct(name, fields) => {
                let settings = self.of_struct(name, fields);
                json!({"anyOf": [{"const": name}, tagged(name, settings)]})
            }
            shape => self.of(shape, None),
        }
    }

    fn of_struct(&mut self, name: &str, fields: &[(&'static str, Shape)]) -> Value {
        let component = Component::of_struct(name, fields.iter().map(|(key, _)| *key));
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (place, (key, shape)) in fields.iter().enumerate() {
            // in the order of the fields
            let info = component.and_then(|component| component.fields.get(place));
            let mut schema = self.of(shape, info.and_then(|info| info.demand));
            if let Some(info) = info {
                describe(&mut schema, info.docs, default_of(info).as_ref());
                required.extend(info.default.is_none().then_some(*key));
            }
            properties.insert((*key).to_owned(), schema);
        }
        json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
    }

    fn variant(&mut self, name: &str, payload: &Shape) -> Value {
        match payload {
            Shape::Unit => json!({"const": name}),
            payload => {
                let payload = self.of(payload, None);
                tagged(name, payload)
            }
        }
    }

    /// A component under its name; the name alone where all its settings have defaults.
    fn chosen(&mut self, component: &'static Component) -> Value {
        let key = format!("{}.{}", component.kind, component.name);
        if !self.definitions.contains_key(&key) {
            // it may hold itself
            self.definitions.insert(key.clone(), Value::Null);
            let settings = self.settings(component);
            self.definitions.insert(key.clone(), settings);
        }
        let tagged = tagged(component.name, json!({"$ref": format!("#/$defs/{key}")}));
        match component.fields.iter().all(|field| field.default.is_some()) {
            true => json!({"anyOf": [{"const": component.name}, tagged]}),
            false => tagged,
        }
    }

    fn settings(&mut self, component: &Component) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for info in component.fields {
            let mut schema = self.of(&(info.shape)(), info.demand);
            describe(&mut schema, info.docs, default_of(info).as_ref());
            properties.insert(info.name.to_owned(), schema);
            required.extend(info.default.is_none().then_some(info.name));
        }
        let docs = first_paragraph(component.docs);
        json!({
            "type": "object",
            "description": docs,
            "additionalProperties": false,
            "properties": properties,
            "required": required,
        })
    }
}

fn tagged(name: &str, settings: Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": {name: settings}, "required": [name]})
}

fn default_of(info: &FieldInfo) -> Option<Node> {
    info.default.and_then(|default| default().ok())
}

/// Says what a value is for, and its default.
pub(super) fn describe(schema: &mut Value, docs: &str, default: Option<&Node>) {
    let docs = first_paragraph(docs);
    if !docs.is_empty() {
        schema["description"] = json!(docs);
    }
    if let Some(default) = default.and_then(value::of) {
        schema["default"] = default;
    }
}

/// Whether all settings of a struct have defaults.
pub(super) fn all_by_default(shape: &Shape) -> bool {
    let Shape::Struct(name, fields) = shape else { return false };
    let component = Component::of_struct(name, fields.iter().map(|(key, _)| *key));
    component.is_some_and(|component| component.fields.iter().all(|field| field.default.is_some()))
}
