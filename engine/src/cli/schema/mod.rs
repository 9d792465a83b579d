//! `schema`: a JSON schema of the experiments of a program, for editors and other tools.
//!
//! It describes values as JSON writes them: `AdamW(lr: 0.1)` is `{"AdamW": {"lr": 0.1}}`, a name alone is a string, `None` is
//! `null`. What layers are made of (`base`, `Append(..)`, `Ref(..)`) is no part of it: it is of a whole experiment.

mod range;
mod shapes;
mod value;

use crate::base::{ErrorContext as _, Result};
use crate::cli::describe::first_paragraph;
use crate::cli::out;
use crate::trainer::{Build, Experiment, Section, docs_of};
use serde_json::{Map, Value, json};
use shapes::Shapes;

/// Prints it.
pub(super) fn print<T: Build>() -> Result<()> {
    let schema = Experiment::<T>::schema();
    out::line(serde_json::to_string_pretty(&of(T::NAME, &schema.sections)).context("the schema can't be printed")?)
}

/// The schema of an experiment with these sections.
fn of(trainer: &str, sections: &[Section]) -> Value {
    let mut shapes = Shapes::default();
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for section in sections.iter().filter(|section| section.path != "metrics") {
        let value = of_section(section, &mut shapes);
        let is_required = section.default.is_none() && !section.absent && !shapes::all_by_default(&section.shape);
        match section.path.split_once('.') {
            None => {
                properties.insert(section.path.to_owned(), value);
                required.extend(is_required.then_some(section.path));
            }
            Some((group, key)) => {
                let group = properties.entry(group).or_insert_with(|| {
                    let docs = first_paragraph(docs_of(group));
                    json!({"type": "object", "description": docs, "additionalProperties": false, "properties": {}, "required": []})
                });
                group["properties"][key] = value;
                if let (true, Some(keys)) = (is_required, group["required"].as_array_mut()) {
                    keys.push(json!(key));
                }
            }
        }
    }
    // a group with something that is required is required
    required.extend(sections.iter().filter_map(|section| {
        let (group, _) = section.path.split_once('.')?;
        let has_required = properties[group]["required"].as_array().is_some_and(|keys| !keys.is_empty());
        has_required.then_some(group)
    }));
    required.dedup();
    let metrics: Vec<Value> =
        sections.iter().filter(|section| section.path == "metrics").map(|section| shapes.entry(section)).collect();
    if !metrics.is_empty() {
        let docs = first_paragraph(docs_of("metrics"));
        properties
            .insert("metrics".to_owned(), json!({"type": "array", "description": docs, "items": {"anyOf": metrics}}));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("an experiment of `{trainer}`"),
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
        "$defs": shapes.into_definitions(),
    })
}

fn of_section(section: &Section, shapes: &mut Shapes) -> Value {
    let mut value = match section.path {
        // a text, or one that begins a folder of its own
        "name" => {
            let fresh = json!({"type": "object", "additionalProperties": false, "required": ["Fresh"], "properties": {"Fresh": {"type": "string"}}});
            json!({"anyOf": [{"type": "string"}, fresh]})
        }
        _ => shapes.of(&section.shape, section.demand),
    };
    // a hook that every program has may be switched off
    if section.path.starts_with("hooks.") {
        value = json!({"anyOf": [value, {"const": "Off"}]});
    }
    shapes::describe(&mut value, section.docs, section.default.as_ref());
    value
}
