//! One value over the experiment: `--set path=value` and other options of the command line, and what code sets.
//!
//! A value of `--set` is RON and is merged as that of a file over its base; a word or path needs no quotes where a text is
//! wanted. What is wrong with it, now or when it is read, points into the command line.

use super::diagnostic::Diagnostic;
use super::errors::Diagnostics;
use super::expression::{later, waits};
use super::layers::Layers;
use super::merge::{Merge, element, is_nothing, replace_with};
use super::parse;
use super::sources::Sources;
use super::tree::{Field, Kind, Node, Span};
use std::path::Path;

/// What messages call the command line.
const OPTION: &str = "--set";

/// And the option that names a file for a value.
const WITH: &str = "--with";

/// Paths of more segments than values can be nested name nothing.
const MAX_SEGMENTS: usize = 64;

/// Applies one `path=value` to the tree; mistakes go to `diagnostics`.
pub(super) fn set(root: &mut Node, argument: &str, sources: &mut Sources, diagnostics: &Diagnostics) {
    let file = sources.add_argument(OPTION, argument);
    if let Err(found) = try_set(root, argument, file, (sources, diagnostics)) {
        found.into_iter().for_each(|found| diagnostics.push(found));
    }
}

/// Applies one `path=file` to the tree: the file's value over the one at the path, as `path=Include("file")` does it.
pub(super) fn set_file(root: &mut Node, argument: &str, sources: &mut Sources, diagnostics: &Diagnostics) {
    let file = sources.add_argument(WITH, argument);
    let whole = span(file, 0, argument.len());
    let Some((path, name)) = argument.split_once('=').filter(|(path, name)| !path.is_empty() && !name.is_empty())
    else {
        let mistake = Diagnostic::new(whole, "expected `path=file`");
        return diagnostics.push(mistake.help("for example `--with model=models/wide.ron`"));
    };
    let at = |kind| Node { span: span(file, path.len() + 1, argument.len()), ..Node::new(kind) };
    let name = at(Kind::Str(name.trim().to_owned()));
    let mut value = Node { span: name.span, ..Node::named("Include", Kind::Tuple(vec![name])) };
    Layers::new(sources, diagnostics).include(&mut value, Path::new(""));
    let path = path.trim_end();
    match locate(root, path, file) {
        Ok(target) => replace_with(target, |old| over(old, value, path, diagnostics)),
        Err(mistake) => diagnostics.push(mistake.at(path)),
    }
}

/// A value that an option of its own gives: `--device cuda:1`.
#[derive(Clone, Debug)]
pub struct Given {
    /// The option, `--device`.
    pub option: &'static str,
    /// What stands after it.
    pub text: String,
    /// The path that it sets.
    pub path: String,
    /// What that is as a value.
    pub value: Node,
}

/// Puts a given value in the place of whatever is there. What is wrong with it, now or when it is read, points into the
/// command line.
pub(super) fn give(root: &mut Node, given: &Given, sources: &mut Sources, diagnostics: &Diagnostics) {
    let file = sources.add_argument(given.option, &given.text);
    let whole = span(file, 0, given.text.len());
    match locate(root, &given.path, file) {
        Ok(target) => *target = placed(given.value.clone(), whole),
        Err(mistake) => diagnostics.push(Diagnostic { span: whole, ..*mistake }.at(given.path.as_str())),
    }
}

/// Puts a value that code gives in the place of whatever is at the path. `path: value` becomes a text of its own under
/// `name`, for mistakes in it to point into; paths in it are relative to the current folder.
pub(super) fn put(
    root: &mut Node,
    name: &str,
    (path, value): (&str, &str),
    sources: &mut Sources,
) -> Result<(), Vec<Diagnostic>> {
    let text = format!("{path}: {value}");
    let file = sources.add_file(name, text.as_str(), "");
    let mut value = parse::parse_from(file, &text, path.len() + 1)?;
    let diagnostics = Diagnostics::new();
    Layers::new(sources, &diagnostics).include(&mut value, Path::new(""));
    let found = diagnostics.into_vec();
    if !found.is_empty() {
        return Err(found);
    }
    *locate(root, path, file).map_err(|mistake| vec![mistake.at(path)])? = value;
    Ok(())
}

/// Puts a value that another file gives over the one at a path.
pub(super) fn lay(root: &mut Node, (path, at): (&str, Span), value: Node) -> Result<(), Vec<Diagnostic>> {
    let diagnostics = Diagnostics::new();
    match locate_at(root, path, at) {
        Ok(target) => replace_with(target, |old| over(old, value, path, &diagnostics)),
        Err(mistake) => return Err(vec![mistake.at(path)]),
    }
    replace_with(root, |root| Merge::new(&diagnostics).settle(root));
    let found = diagnostics.into_vec();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

impl Node {
    /// Puts a value in the place of whatever is at a path, as [`Node::find`] takes it; fields that are absent are added.
    ///
    /// # Errors
    /// When the path leads into a value that has no parts, or to an element that a list has not.
    pub fn put(&mut self, path: &str, value: Node) -> Result<(), Box<Diagnostic>> {
        *locate(self, path, Span::NONE.file)? = value;
        Ok(())
    }
}

/// A value whose every part was written at one place.
fn placed(mut node: Node, span: Span) -> Node {
    node.span = span;
    if let Some(name) = &mut node.name {
        name.span = span;
    }
    if let Kind::Tuple(items) | Kind::Seq(items) = &mut node.kind {
        *items = std::mem::take(items).into_iter().map(|item| placed(item, span)).collect();
    }
    node
}

fn try_set(
    root: &mut Node,
    argument: &str,
    file: u32,
    (sources, diagnostics): (&mut Sources, &Diagnostics),
) -> Result<(), Vec<Diagnostic>> {
    let Some((path, _)) = argument.split_once('=') else {
        let span = span(file, 0, argument.len());
        return Err(vec![Diagnostic::new(span, "expected `path=value`").help("for example `--set optimizer.lr=0.01`")]);
    };
    if path == "base" {
        let message =
            "`base` can't be set here: the files of an experiment are read before the command line's settings";
        return Err(vec![Diagnostic::new(span(file, 0, path.len()), message).help("write it in a file")]);
    }
    let mut value = value(argument, path.len() + 1, file)?;
    Layers::new(sources, diagnostics).include(&mut value, Path::new(""));
    let path = path.trim_end();
    let target = locate(root, path, file).map_err(|mistake| vec![mistake.at(path)])?;
    replace_with(target, |old| over(old, value, path, diagnostics));
    Ok(())
}

/// A value of the command line over the one that was there.
fn over(old: Node, value: Node, path: &str, diagnostics: &Diagnostics) -> Node {
    let is_word = value.name.as_ref().is_some_and(|name| name.word) && matches!(value.kind, Kind::Unit);
    match (&old.kind, value.name()) {
        (Kind::Str(_), Some(word)) if is_word => {
            Node { span: value.span, name: None, kind: Kind::Str(word.to_owned()) }
        }
        _ => Merge::at(diagnostics, path).values(old, value),
    }
}

/// The value, as RON or as a text without quotes.
fn value(argument: &str, at: usize, file: u32) -> Result<Node, Vec<Diagnostic>> {
    parse::parse_argument(file, argument, at).or_else(|mistakes| {
        let text = argument[at..].trim();
        if let Some(name) = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')) {
            let found = Diagnostic::new(span(file, at, argument.len()), format!("expected a value, found `{text}`"));
            return Err(vec![found.help(format!("a variable of the environment is `Env(\"{name}\")`"))]);
        }
        match is_plain_text(text) {
            true => Ok(Node { span: span(file, at, argument.len()), name: None, kind: Kind::Str(text.to_owned()) }),
            false => Err(mistakes),
        }
    })
}

/// A word or path that was meant as a text, not a misspelt number, list or string.
fn is_plain_text(text: &str) -> bool {
    let starts_as_text = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '/' | '~'));
    let relative = text.starts_with("./") || text.starts_with("..");
    (starts_as_text || relative) && !text.contains(['(', ')', '[', ']', '{', '}', '"', '\'', ','])
}

/// The value at the path; fields that are absent are added.
fn locate<'n>(root: &'n mut Node, path: &str, file: u32) -> Result<&'n mut Node, Box<Diagnostic>> {
    locate_at(root, path, span(file, 0, path.len()))
}

/// The same, of a path that is written at a place.
fn locate_at<'n>(root: &'n mut Node, path: &str, whole: Span) -> Result<&'n mut Node, Box<Diagnostic>> {
    let mut node = root;
    let mut start = 0;
    let from = whole.start as usize;
    for (index, segment) in path.split('.').enumerate() {
        let at = span(whole.file, from + start, from + start + segment.len());
        if waits(node) {
            return wait(node, &path[start..], Span { start: at.start, ..whole });
        }
        if segment.is_empty() {
            return Err(Box::new(Diagnostic::new(at, "a name is missing in the path")));
        }
        if index >= MAX_SEGMENTS {
            return Err(Box::new(Diagnostic::new(at, format!("the path has more than {MAX_SEGMENTS} names"))));
        }
        node = child(node, segment, at)?;
        start += segment.len() + 1;
    }
    Ok(node)
}

/// The name of a value that waits until a reference is followed, with its path from there; no text could hold it.
const SET: &str = "(set)";

/// The place of a value within what a reference leads to.
fn wait<'n>(reference: &'n mut Node, path: &str, at: Span) -> Result<&'n mut Node, Box<Diagnostic>> {
    let part = |kind| Node { span: at, ..Node::new(kind) };
    let place = vec![part(Kind::Str(path.to_owned())), part(Kind::Unit)];
    let set = Node { span: at, ..Node::named(SET, Kind::Tuple(place)) };
    replace_with(reference, |reference| later(reference, set));
    // the value in the last layer
    let value = last_mut(reference).and_then(last_mut);
    value.ok_or_else(|| Box::new(Diagnostic::new(at, "there is nothing to set here")))
}

fn last_mut(node: &mut Node) -> Option<&mut Node> {
    match &mut node.kind {
        Kind::Tuple(items) => items.last_mut(),
        _ => None,
    }
}

/// What waits for a reference to be followed: a path from there, and the value for it.
pub(super) fn waiting(layer: &Node) -> Option<(&Node, &Node)> {
    match &layer.kind {
        Kind::Tuple(items) if layer.name() == Some(SET) => items.first().zip(items.get(1)),
        _ => None,
    }
}

/// Puts what has waited into the value that the reference led to.
pub(super) fn change(mut whole: Node, path: &Node, value: &Node, diagnostics: &Diagnostics) -> Node {
    let Kind::Str(text) = &path.kind else { return whole };
    match locate_at(&mut whole, text, path.span) {
        Ok(target) => replace_with(target, |old| over(old, value.clone(), text, diagnostics)),
        Err(mistake) => diagnostics.push(*mistake),
    }
    whole
}

fn child<'n>(node: &'n mut Node, segment: &str, at: Span) -> Result<&'n mut Node, Box<Diagnostic>> {
    let (whole, what) = (node.span, node.what());
    let some = node.some_inner().is_some();
    if matches!(node.kind, Kind::Unit) && is_nothing(node.name.as_ref()) {
        // as settings of a file are over it
        node.name = None;
    }
    let empty = match &node.kind {
        Kind::Unit => true,
        Kind::Tuple(items) => items.is_empty(),
        _ => false,
    };
    if empty {
        node.kind = Kind::Struct(Vec::new());
    }
    match &mut node.kind {
        Kind::Struct(fields) => Ok(field(fields, segment, at)),
        Kind::Seq(items) | Kind::Tuple(items) => {
            if some {
                return child(&mut items[0], segment, at);
            }
            match element(items, segment, at) {
                Ok(index) => Ok(&mut items[index]),
                Err(mistake) => {
                    let mistake = mistake.note(whole.first(), "this list");
                    let names = || items.iter().filter_map(Node::name);
                    // a name among names that is neither one of them nor near to one
                    let is_new = names().next().is_some()
                        && names().all(|name| name != segment)
                        && segment.parse::<usize>().is_err()
                        && mistake.label.is_empty();
                    Err(Box::new(match is_new {
                        true => mistake.help(format!("an element is added by `Append([{segment}(..)])`")),
                        false => mistake,
                    }))
                }
            }
        }
        Kind::Map(pairs) => Ok(entry(pairs, segment, at)),
        _ => {
            let message = format!("there is no `{segment}` in {what}");
            Err(Box::new(Diagnostic::new(at, message).note(whole, "the value so far")))
        }
    }
}

fn field<'n>(fields: &'n mut Vec<Field>, key: &str, at: Span) -> &'n mut Node {
    let index = fields.iter().position(|field| field.key == key).unwrap_or_else(|| {
        let value = Node { span: at, ..Node::new(Kind::Unit) };
        fields.push(Field { key: key.to_owned(), key_span: at, value });
        fields.len() - 1
    });
    &mut fields[index].value
}

fn entry<'n>(pairs: &'n mut Vec<(Node, Node)>, key: &str, at: Span) -> &'n mut Node {
    let index = pairs.iter().position(|(known, _)| known.is_key(key)).unwrap_or_else(|| {
        let new = |kind| Node { span: at, ..Node::new(kind) };
        pairs.push((new(Kind::Str(key.to_owned())), new(Kind::Unit)));
        pairs.len() - 1
    });
    &mut pairs[index].1
}

fn span(file: u32, start: usize, end: usize) -> Span {
    // a command line is far shorter than four GiB
    let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: byte(start), end: byte(end) }
}
