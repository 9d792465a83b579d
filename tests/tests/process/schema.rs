//! `schema`: a JSON schema of the experiments of a program.

use crate::bench::Bench;
use serde_json::{Value, json};

/// Whether a value is as a schema says, by the keywords that `schema` writes.
fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
    if let Some(path) = schema["$ref"].as_str() {
        let key = path.strip_prefix("#/$defs/").unwrap();
        return fits(value, &root["$defs"][key], root);
    }
    let known = [
        "$schema",
        "title",
        "description",
        "default",
        "type",
        "anyOf",
        "const",
        "properties",
        "required",
        "$defs",
        "additionalProperties",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMaximum",
        "not",
    ];
    schema.as_object().unwrap().keys().for_each(|key| assert!(known.contains(&key.as_str()), "`{key}`"));
    let is_type = schema["type"].as_str().is_none_or(|name| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("`{other}`"),
    });
    let is_one = schema["anyOf"].as_array().is_none_or(|all| all.iter().any(|one| fits(value, one, root)));
    let is_it = schema.get("const").is_none_or(|only| only == value);
    let number = |key: &str| schema[key].as_f64().zip(value.as_f64());
    let within = number("minimum").is_none_or(|(least, value)| value >= least)
        && number("maximum").is_none_or(|(most, value)| value <= most)
        && number("exclusiveMaximum").is_none_or(|(most, value)| value < most);
    let fields = value.as_object().is_none_or(|fields| {
        let required = schema["required"].as_array().into_iter().flatten();
        let own = required.into_iter().all(|key| fields.contains_key(key.as_str().unwrap()));
        own && fields.iter().all(|(key, value)| match (&schema["properties"][key], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => false,
            (Value::Null, Value::Null) => true,
            (Value::Null, other) => fits(value, other, root),
            (known, _) => fits(value, known, root),
        })
    });
    let items = value.as_array().is_none_or(|items| {
        let each = schema.get("items").is_none_or(|schema| items.iter().all(|item| fits(item, schema, root)));
        let placed = schema["prefixItems"].as_array().is_none_or(|schemas| {
            schemas.len() == items.len() && items.iter().zip(schemas).all(|(item, schema)| fits(item, schema, root))
        });
        each && placed
    });
    // only `{}`, which anything fits
    let is_none = schema.get("not").is_some();
    !is_none && is_type && is_one && is_it && within && fields && items
}

/// Calls a function with every schema in a schema.
fn each(schema: &Value, call: &mut dyn FnMut(&Value)) {
    match schema {
        Value::Object(fields) => {
            call(schema);
            fields.iter().filter(|(key, _)| *key != "default").for_each(|(_, inner)| each(inner, call));
        }
        Value::Array(items) => items.iter().for_each(|inner| each(inner, call)),
        _ => {}
    }
}

#[test]
fn a_schema_knows_every_setting_and_its_defaults_are_as_it_says() {
    for bench in [Bench::by_epoch(), Bench::by_iter(), Bench::two_passes()] {
        let schema: Value = serde_json::from_str(&bench.run(&["schema"]).exits(0).stdout).unwrap();
        let mut defaults = 0;
        each(&schema, &mut |inner| {
            if let Some(default) = inner.get("default").filter(|_| {
                !inner["default"].is_object() || inner.get("type").is_some() || inner.get("anyOf").is_some()
            }) {
                defaults += 1;
                assert!(fits(default, inner, &schema), "{default} is not {inner}");
            }
        });
        assert!(defaults > 100, "{defaults}");
        for path in ["name", "optimizer", "train", "hooks", "loaders"] {
            assert!(schema["properties"].get(path).is_some(), "no `{path}`");
        }
        // whatever is written below `$defs` is named somewhere
        let text = schema.to_string();
        for key in schema["$defs"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("#/$defs/{key}")), "{key}");
        }
    }
}

#[test]
fn a_schema_tells_right_experiments_from_wrong_ones() {
    let schema: Value = serde_json::from_str(&Bench::by_epoch().run(&["schema"]).exits(0).stdout).unwrap();
    let points = |samples: Value| json!({"dataset": {"samples": samples}, "batch_size": 4});
    let right = json!({
        "name": {"Fresh": "run"},
        "model": {"Mlp": {"hidden": 8}},
        "optimizer": {"AdamW": {"lr": 0.02}},
        "schedule": [{"Linear": {"iters": 3, "start": 0.1}}, "Cosine"],
        "loaders": {
            "train": points(json!(40)), "val": points(json!(12)), "hard": points(json!(8)),
            "test": points(json!(8)), "unseen": points(json!(8)),
        },
        "train": {"max_epochs": 3, "clip": {"Norm": 1.0}},
        "hooks": {"ema": "Off"},
    });
    assert!(fits(&right, &schema, &schema), "{right}");
    let wrong: [(&str, Value); 9] = [
        ("/name", json!(3)),
        ("/model/Mlp/hidden", json!(0)),
        ("/optimizer/AdamW/lr", json!("fast")),
        ("/optimizer", json!({"AdamX": {"lr": 0.1}})),
        ("/schedule/1", json!("Cosin")),
        ("/loaders/train/batch_size", json!(-1)),
        ("/train/clip", json!({"Norm": "much"})),
        ("/train", json!({"max_epoch": 3})),
        ("/hooks/ema", json!("On")),
    ];
    for (path, value) in wrong {
        let mut experiment = right.clone();
        *experiment.pointer_mut(path).unwrap() = value;
        assert!(!fits(&experiment, &schema, &schema), "{path}: {experiment}");
    }
    let mut without = right.clone();
    without.as_object_mut().unwrap().remove("loaders");
    assert!(!fits(&without, &schema, &schema));
}
