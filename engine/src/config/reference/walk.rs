//! The way to the value that a reference names.

use super::super::de::{join, unknown};
use super::super::diagnostic::Diagnostic;
use super::super::merge::element;
use super::super::print::key_text;
use super::super::tree::{Kind, Node, Span};

/// The part of a value that a segment of a path names: a field, a key, an index, or the name of an element.
pub(super) fn part<'n>(whole: &'n Node, segment: &str, walked: &str, at: Span) -> Result<&'n Node, Box<Diagnostic>> {
    if let Some(inner) = whole.some_inner() {
        return part(inner, segment, walked, at);
    }
    let mut path = walked.to_owned();
    join(&mut path, segment);
    let owner = if walked.is_empty() { "the experiment".to_owned() } else { format!("`{walked}`") };
    match &whole.kind {
        Kind::Seq(items) | Kind::Tuple(items) => match element(items, segment, at) {
            Ok(index) => Ok(&items[index]),
            Err(mistake) => {
                let message = format!("nothing is written at `{path}`: {}", mistake.message);
                Err(Box::new(Diagnostic { message, ..*mistake }))
            }
        },
        Kind::Struct(fields) => match fields.iter().find(|field| field.key == segment) {
            Some(field) => Ok(&field.value),
            None => {
                let known: Vec<&str> = fields.iter().map(|field| field.key.as_str()).take(MOST_KEYS).collect();
                Err(absent(at, &path, segment, &known))
            }
        },
        Kind::Map(pairs) => match pairs.iter().find(|(key, _)| key.is_key(segment)) {
            Some((_, value)) => Ok(value),
            None => {
                let known: Vec<String> = pairs.iter().map(|(key, _)| bare(key)).take(MOST_KEYS).collect();
                Err(absent(at, &path, segment, &known.iter().map(String::as_str).collect::<Vec<_>>()))
            }
        },
        _ => {
            let message = format!("nothing is written at `{path}`: {owner} is {}", whole.what());
            Err(Box::new(Diagnostic::new(at, message)))
        }
    }
}

/// A longer list of keys is neither shown nor searched for one that was meant.
const MOST_KEYS: usize = 100;

fn absent(at: Span, path: &str, segment: &str, known: &[&str]) -> Box<Diagnostic> {
    let mistake = unknown(at, &format!("nothing is written at `{path}`"), segment, known);
    Box::new(match mistake.label.is_empty() {
        true => mistake.help("a reference takes what is written, no default: write the value there, and refer to it"),
        false => mistake,
    })
}

fn bare(key: &Node) -> String {
    match &key.kind {
        Kind::Str(text) => text.clone(),
        _ => key_text(key),
    }
}
