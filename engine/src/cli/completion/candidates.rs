//! What can stand behind `--set` where a person has begun to type: paths, and then values.

use crate::cli::describe::MakeUp;
use crate::config::registry::Component;
use crate::config::{self, Field, Kind, Node, Over, Shape, print_line};
use crate::trainer::{Build, Experiment, Purpose, Schema};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Longer values are nothing to complete.
const LONGEST: usize = 80;

/// What completes `word`, a part of `PATH=VALUE`. `line` is the command line so far: an experiment in it says which
/// components there are.
pub(super) fn of<T: Build>(word: &str, line: &[OsString]) -> Vec<String> {
    let schema = Experiment::<T>::schema();
    let root = experiment::<T>(line).unwrap_or_else(|| made_up(&schema));
    let mut found = match word.split_once('=') {
        Some((path, begun)) => {
            let values = values(&root, &schema, path);
            values.into_iter().filter(|value| value.starts_with(begun)).map(|value| format!("{path}={value}")).collect()
        }
        None => paths(&root, &schema, word),
    };
    found.sort();
    found.dedup();
    found
}

/// The complete tree of the experiment in a command line.
fn experiment<T: Build>(line: &[OsString]) -> Option<Node> {
    let is_experiment = |path: &&Path| path.is_dir() || path.extension().is_some_and(|extension| extension == "ron");
    let files: Vec<PathBuf> = line.iter().map(Path::new).filter(is_experiment).map(Path::to_owned).collect();
    if files.is_empty() {
        return None;
    }
    let document = config::load_over(&files, &Over::default()).ok()?;
    match Experiment::<T>::from_document(&document, Purpose::Inspect) {
        Ok(experiment) => experiment.to_node().ok(),
        // one with a mistake still has its paths
        Err(_) => Some(document.root),
    }
}

/// An experiment as `new` writes it.
fn made_up(schema: &Schema) -> Node {
    let metric = schema.watchable.first().map(String::as_str);
    let mut root = Node::new(Kind::Struct(Vec::new()));
    for section in &schema.sections {
        let key = section.path.rsplit('.').next().unwrap_or_default();
        let value = section.default.clone().unwrap_or_else(|| MakeUp { like: key, metric }.value(&section.shape));
        // the metrics of fields have one path
        let _ = root.put(section.path, value);
    }
    root
}

/// Paths that begin with a word, up to their next segment.
fn paths(root: &Node, schema: &Schema, word: &str) -> Vec<String> {
    let (before, begun) = match word.rsplit_once('.') {
        None => ("", word),
        Some((path, _)) if path.split('.').any(str::is_empty) => return Vec::new(),
        Some(found) => found,
    };
    let dot = if before.is_empty() { "" } else { "." };
    let whole = match before {
        "" => Some(root),
        _ => root.find(before),
    };
    let mut keys: Vec<(String, bool)> = whole.map(children).unwrap_or_default();
    // hooks that are off, and whatever the experiment leaves out
    for section in &schema.sections {
        let Some(rest) = section.path.strip_prefix(before).and_then(|rest| rest.strip_prefix(dot)) else { continue };
        let (key, has_more) = rest.split_once('.').map_or((rest, false), |(key, _)| (key, true));
        if keys.iter().all(|(known, _)| known != key) {
            keys.push((key.to_owned(), has_more));
        }
    }
    let mut found = Vec::new();
    for (key, has_parts) in keys.into_iter().filter(|(key, _)| key.starts_with(begun)) {
        let path = format!("{before}{dot}{key}");
        if has_parts {
            found.push(format!("{path}."));
        }
        found.push(format!("{path}="));
    }
    found
}

/// The parts of a value, each with whether it has parts itself.
fn children(node: &Node) -> Vec<(String, bool)> {
    match &node.kind {
        Kind::Struct(fields) => fields.iter().map(|Field { key, value, .. }| (key.clone(), has_parts(value))).collect(),
        Kind::Seq(items) => {
            let named = items.iter().filter_map(|item| Some((item.name()?.to_owned(), has_parts(item))));
            let numbered = items.iter().enumerate().map(|(index, item)| (index.to_string(), has_parts(item)));
            numbered
                .filter(|(index, _)| items[index.parse::<usize>().unwrap_or(0)].name().is_none())
                .chain(named)
                .collect()
        }
        Kind::Map(pairs) => {
            let text = |key: &Node| match &key.kind {
                Kind::Str(text) => Some(text.clone()),
                _ => None,
            };
            pairs.iter().filter_map(|(key, value)| Some((text(key)?, has_parts(value)))).collect()
        }
        Kind::Tuple(items) => match items.as_slice() {
            [inner] if node.name() == Some("Some") => children(inner),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn has_parts(node: &Node) -> bool {
    !children(node).is_empty()
}

/// Values that can stand at a path: the one that is there, and those that its type knows.
fn values(root: &Node, schema: &Schema, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    if path.split('.').any(str::is_empty) {
        return found;
    }
    if let Some(now) = root.find(path).map(print_line)
        && now.len() <= LONGEST
        && !now.contains(char::is_whitespace)
    {
        found.push(now);
    }
    if let Some(shape) = shape_at(root, schema, path) {
        add_values(&shape, &mut found);
    }
    found
}

/// What the value at a path can be.
fn shape_at(root: &Node, schema: &Schema, path: &str) -> Option<Shape> {
    let is_within =
        |section: &str| path == section || path.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
    let sections = schema.sections.iter().filter(|section| is_within(section.path));
    let section = sections.max_by_key(|section| section.path.len())?;
    let mut walked = section.path.to_owned();
    let mut shape = section.shape.clone();
    for segment in path[section.path.len()..].split('.').filter(|segment| !segment.is_empty()) {
        let here = root.find(&walked);
        shape = part(&shape, segment, here)?;
        walked = format!("{walked}.{segment}");
    }
    Some(shape)
}

/// The shape of a part of a value; `here` is the value, whose name says which component it is.
fn part(shape: &Shape, segment: &str, here: Option<&Node>) -> Option<Shape> {
    match shape {
        Shape::Optional(inner) => part(inner, segment, here),
        Shape::Struct(_, fields) => fields.iter().find(|(key, _)| *key == segment).map(|(_, shape)| shape.clone()),
        Shape::List(item) => Some((**item).clone()),
        Shape::Pairs(_, value) => Some((**value).clone()),
        Shape::Component(kind, _) => {
            let component = Component::find(kind, here?.name()?)?;
            component.fields.iter().find(|field| field.name == segment).map(|field| (field.shape)())
        }
        Shape::Enum(variants) => {
            let name = here?.name()?;
            let (_, payload) = variants.iter().find(|(variant, _)| *variant == name)?;
            part(payload, segment, here)
        }
        _ => None,
    }
}

fn add_values(shape: &Shape, found: &mut Vec<String>) {
    match shape {
        Shape::Bool => found.extend(["true", "false"].map(str::to_owned)),
        Shape::Unit => found.push("()".to_owned()),
        Shape::Optional(inner) => {
            found.push("None".to_owned());
            add_values(inner, found);
        }
        Shape::Enum(variants) => found.extend(variants.iter().map(|(name, payload)| match payload {
            Shape::Unit => (*name).to_owned(),
            _ => format!("{name}("),
        })),
        Shape::Component(_, names) => found.extend(names.iter().map(|name| format!("{name}("))),
        _ => {}
    }
}
