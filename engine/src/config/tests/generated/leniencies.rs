//! All that we read and the `ron` crate refuses.
//!
//! Beside these stand the words of the format (`Env`, components by name, texts without quotes from the command line),
//! which other tests hold, and a byte order mark. What the `ron` crate reads and we refuse: unknown fields, keys that a
//! map has twice, ranges (`0..9`), integers above `i128`, values named `true`, `false`, `inf` or `NaN` without `r#`,
//! and, when it is the other way round, nothing.

use super::super::super::{Kind, Node, print};
use std::collections::BTreeSet;

/// One way of writing that only we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leniency {
    /// Any white space of Unicode between tokens.
    Blanks,
    /// A suffix, base or byte literal does not choose a number's type: `1u8`, `0x10` and `b'a'` for any number.
    Suffix,
    /// Blanks where others may not have them: `( )` for `()`, and between the name of a tuple struct and its bracket.
    BlankAtBracket,
    /// `#![enable()]`
    NothingEnabled,
    /// `7` where `Some(7)` is meant.
    MissingSome,
    /// `7` for `Newtype(7)`, `Of(a: 1)` for `Of((a: 1))`.
    UnwrappedNewtype,
    /// `r#Some` and `r#None` are `Some` and `None`.
    RawOption,
    /// `1e6` where an integer is wanted.
    WholeFloat,
    /// `[1, 2]` for `(1, 2)`.
    ListForTuple,
    /// `"Unit"` for the variant `Unit`.
    QuotedVariant,
    /// `Unit()` for `Unit`; `Fields` for a variant or struct `Fields()`.
    EmptyBrackets,
    /// `(a: 1)` for `{"a": 1}`, and `()` for `{}`.
    FieldsForMap,
}

pub(super) const ALL: [Leniency; 12] = [
    Leniency::Blanks,
    Leniency::Suffix,
    Leniency::BlankAtBracket,
    Leniency::NothingEnabled,
    Leniency::MissingSome,
    Leniency::UnwrappedNewtype,
    Leniency::RawOption,
    Leniency::WholeFloat,
    Leniency::ListForTuple,
    Leniency::QuotedVariant,
    Leniency::EmptyBrackets,
    Leniency::FieldsForMap,
];

/// What of the text is lenient; none when that explains nothing.
///
/// The text has the tokens of its tree, no comma more or less. The tree is printed, which writes blanks and numbers as the `ron` crate wants them, and then every lenient value in
/// it is written otherwise until the `ron` crate reads it. `reads` is the crate.
pub(super) fn explain(text: &str, root: &Node, value: &str, reads: Reads<'_>) -> Option<BTreeSet<Leniency>> {
    if tokens(text) != tokens(&print(root)) {
        return None;
    }
    let mut used = lexical(text);
    used.append(&mut structural(root, value, reads, 6)?);
    (!used.is_empty()).then_some(used)
}

/// What has to be written otherwise, at most `most` values of it.
fn structural(root: &Node, value: &str, reads: Reads<'_>, most: usize) -> Option<BTreeSet<Leniency>> {
    let before = match reads(&print(root)) {
        Ok(read) => return (read == value).then(BTreeSet::new),
        Err(before) => before,
    };
    if most == 0 {
        return None;
    }
    let mut further = Vec::new();
    for index in 0..count(root) {
        for (leniency, rewrite) in STRUCTURAL {
            let mut other = root.clone();
            if nth(&mut other, &mut { index }).and_then(rewrite).is_some() {
                match reads(&print(&other)) {
                    Ok(_) => further.push((0, leniency, other)),
                    Err(after) if after.further_than(before) => further.push((1 + after.left, leniency, other)),
                    Err(_) => {}
                }
            }
        }
    }
    further.sort_by_key(|(left, ..)| *left);
    further.into_iter().find_map(|(_, leniency, other)| {
        let mut used = structural(&other, value, reads, most - 1)?;
        used.insert(leniency);
        Some(used)
    })
}

/// What a blank begins or ends with.
const BLANKS: [&str; 10] = [" ", "\n", "\t", "\r", "/", "\u{85}", "\u{2028}", "\u{200e}", "\u{b}", "\u{c}"];

/// What is lenient in the text and no longer in the printed tree.
fn lexical(text: &str) -> BTreeSet<Leniency> {
    let has = |pieces: &[&str]| pieces.iter().any(|piece| text.contains(piece));
    let blank = |c: char| c.is_whitespace() && !" \t\n\r\u{b}\u{c}\u{85}\u{2028}\u{2029}".contains(c);
    let suffixes = ["i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128", "f32", "f64"];
    let mut used = BTreeSet::new();
    for (leniency, found) in [
        (Leniency::Blanks, text.contains(blank)),
        (Leniency::Suffix, has(&suffixes) || has(&["0x", "0o", "0b", "b'"])),
        (Leniency::BlankAtBracket, BLANKS.iter().any(|blank| has(&[&format!("({blank}"), &format!("{blank}(")]))),
        (Leniency::NothingEnabled, text.contains("enable")),
        (Leniency::RawOption, has(&["r#Some", "r#None"])),
    ] {
        if found {
            used.insert(leniency);
        }
    }
    used
}

/// The brackets, commas and colons of a text, with `w` for a word or number and `s` for a string or character; without
/// attributes, blanks, comments and commas before a closing bracket.
fn tokens(text: &str) -> String {
    let mut tokens = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| "()[]{},:\"'/".contains(c) || blank(c)).unwrap_or(rest.len());
        let (token, length) = match c {
            '/' => (None, comment(rest)),
            '(' | '[' | '{' | ',' | ':' => (Some(c), 1),
            ')' | ']' | '}' => {
                tokens.truncate(tokens.strip_suffix(',').unwrap_or(&tokens).len());
                (Some(c), 1)
            }
            '"' => (Some('s'), quoted(rest)),
            '\'' => (Some('s'), character(rest)),
            c if blank(c) => (None, c.len_utf8()),
            // the prefixes of strings and bytes
            _ if rest[word..].starts_with('"') && rest[..word].trim_end_matches('#').ends_with('r') => {
                let hashes = "#".repeat(rest[..word].matches('#').count());
                let close = format!("\"{hashes}");
                let length = rest[word + 1..].find(&close).map(|end| word + 1 + end + close.len());
                (Some('s'), length.unwrap_or(rest.len()))
            }
            'b' if word == 1 && rest[1..].starts_with('"') => (Some('s'), 1 + quoted(&rest[1..])),
            'b' if word == 1 && rest[1..].starts_with('\'') => (Some('w'), 1 + character(&rest[1..])),
            _ => (Some('w'), word),
        };
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    // `#![..]`
    while text.contains("#") && tokens.starts_with("w[") && !text.trim_start_matches(blank).starts_with("r#") {
        let Some(end) = tokens.find(']') else { break };
        tokens.drain(..=end);
    }
    tokens
}

fn blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200e}' | '\u{200f}')
}

fn comment(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    let (mut at, mut open) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (step, change) = match rest {
            _ if rest.starts_with("/*") => (2, 1),
            _ if rest.starts_with("*/") => (2, -1),
            _ => (rest.chars().next().map_or(1, char::len_utf8), 0),
        };
        at += step;
        open += change;
        if open == 0 {
            break;
        }
    }
    at
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    if letters.next().is_some_and(|(_, c)| c == '\\') {
        letters.next();
    }
    letters.find(|(_, c)| *c == '\'').map_or(text.len(), |(at, _)| at + 1)
}

/// What the `ron` crate makes of a text.
pub(super) type Reads<'r> = &'r dyn Fn(&str) -> Result<String, GaveUp>;

/// Where the `ron` crate gave up.
#[derive(Clone, Copy)]
pub(super) struct GaveUp {
    /// How many bytes are before the place.
    pub(super) read: usize,
    /// How many bytes that are no brackets are behind it.
    pub(super) left: usize,
}

impl GaveUp {
    fn further_than(self, before: GaveUp) -> bool {
        self.left < before.left || (self.left == before.left && self.read > before.read)
    }
}

/// Writes a value as the `ron` crate wants it; none when it is no such value.
type Rewrite = fn(&mut Node) -> Option<()>;

const STRUCTURAL: [(Leniency, Rewrite); 11] = [
    (Leniency::MissingSome, |node| {
        wrap(node, Some("Some"));
        Some(())
    }),
    (Leniency::UnwrappedNewtype, |node| {
        wrap(node, None);
        Some(())
    }),
    // `Of(a: 1)` holds a struct without a name
    (Leniency::UnwrappedNewtype, |node| {
        let name = node.name.take()?;
        wrap(node, None);
        node.name = Some(name);
        Some(())
    }),
    (Leniency::MissingSome, |node| {
        let name = node.name.take()?;
        wrap(node, Some("Some"));
        wrap(node, None);
        node.name = Some(name);
        Some(())
    }),
    (Leniency::WholeFloat, |node| match node.kind {
        Kind::Float(value) if value.fract() == 0.0 && value.is_finite() => {
            node.kind = Kind::Int(value as i128);
            Some(())
        }
        _ => None,
    }),
    (Leniency::ListForTuple, |node| match &mut node.kind {
        Kind::Seq(items) => {
            node.kind = Kind::Tuple(std::mem::take(items));
            Some(())
        }
        _ => None,
    }),
    (Leniency::QuotedVariant, |node| match &node.kind {
        Kind::Str(text) => {
            *node = Node::named(text.clone(), Kind::Unit);
            Some(())
        }
        _ => None,
    }),
    (Leniency::EmptyBrackets, |node| match &node.kind {
        Kind::Tuple(items) if items.is_empty() => {
            node.kind = Kind::Unit;
            Some(())
        }
        _ => None,
    }),
    (Leniency::EmptyBrackets, |node| matches!(node.kind, Kind::Unit).then(|| node.kind = Kind::Tuple(Vec::new()))),
    (Leniency::FieldsForMap, |node| node.name.is_none().then(|| fields_to_map(node))?),
    (Leniency::FieldsForMap, |node| {
        let name = node.name.take()?;
        fields_to_map(node)?;
        wrap(node, None);
        node.name = Some(name);
        Some(())
    }),
];

fn fields_to_map(node: &mut Node) -> Option<()> {
    let fields = match &mut node.kind {
        Kind::Struct(fields) => std::mem::take(fields),
        Kind::Unit => Vec::new(),
        Kind::Tuple(items) if items.is_empty() => Vec::new(),
        _ => return None,
    };
    let pairs = fields.into_iter().map(|field| (Node::new(Kind::Str(field.key)), field.value));
    node.kind = Kind::Map(pairs.collect());
    Some(())
}

fn wrap(node: &mut Node, name: Option<&str>) {
    let inner = std::mem::replace(node, Node::new(Kind::Unit));
    node.kind = Kind::Tuple(vec![inner]);
    node.name = name.and_then(|name| Node::named(name, Kind::Unit).name);
}

fn children(node: &mut Node) -> Vec<&mut Node> {
    match &mut node.kind {
        Kind::Seq(items) | Kind::Tuple(items) => items.iter_mut().collect(),
        Kind::Struct(fields) => fields.iter_mut().map(|field| &mut field.value).collect(),
        Kind::Map(pairs) => pairs.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
        _ => Vec::new(),
    }
}

fn count(root: &Node) -> usize {
    fn count_mut(node: &mut Node) -> usize {
        1 + children(node).into_iter().map(count_mut).sum::<usize>()
    }
    count_mut(&mut root.clone())
}

/// The value at place `index` in the order of the text.
fn nth<'n>(node: &'n mut Node, index: &mut usize) -> Option<&'n mut Node> {
    if *index == 0 {
        return Some(node);
    }
    *index -= 1;
    children(node).into_iter().find_map(|child| nth(child, index))
}
