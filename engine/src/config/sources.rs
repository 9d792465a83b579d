//! The texts that spans point into: files, and values given on the command line; and where references in them lead.

use super::links::Links;
use super::tree::Span;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every text read so far.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: Vec<Source>,
    links: Box<Links>,
    /// By their paths.
    taken_back: BTreeMap<String, TakenBack>,
}

/// A field that `Default` has taken back: nothing of it is left in the tree.
#[derive(Clone, Debug)]
pub(super) struct TakenBack {
    /// The name of its struct, `AdamW`.
    pub(super) owner: Option<String>,
    /// Where its key is written.
    pub(super) key: Span,
    /// Where `Default` is written.
    pub(super) value: Span,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// The number of characters before each block of [`BLOCK`] bytes: columns of a very long line are not counted from
    /// its start each time.
    characters: Vec<usize>,
    folder: PathBuf,
}

const BLOCK: usize = 1024;

impl Sources {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file's text; relative paths in it are relative to `folder`.
    pub fn add_file(&mut self, name: impl Into<String>, text: impl Into<String>, folder: impl Into<PathBuf>) -> u32 {
        self.add(Source::new(name.into(), text.into(), folder.into()))
    }

    /// Adds a text given on the command line after the option `name`.
    pub fn add_argument(&mut self, name: impl Into<String>, text: impl Into<String>) -> u32 {
        self.add_file(name, text, "")
    }

    /// The file's name as it was given; empty for a span that points nowhere.
    pub fn name(&self, span: Span) -> &str {
        self.source(span.file).map_or("", |source| &source.name)
    }

    /// The names of all files, as they were given, and of the options with a text of their own.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|source| source.name.as_str())
    }

    /// The whole text that the span lies in.
    pub fn text(&self, span: Span) -> &str {
        self.source(span.file).map_or("", |source| &source.text)
    }

    /// What relative paths written at `span` are relative to; empty stands for the current folder. Where a reference is
    /// written, it is the folder of what it refers to.
    pub fn folder(&self, span: Span) -> &Path {
        let mut span = span;
        // an experiment whose references lead in a circle is not read
        while let [end] = self.links.of(span) {
            span = end.to;
        }
        self.source(span.file).map_or(Path::new(""), |source| &source.folder)
    }

    /// The names of all texts, and the texts.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|source| (source.name.as_str(), source.text.as_str()))
    }

    /// Line and column (in characters) of the span's first byte, counted from 1.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let Some(source) = self.source(span.file) else { return (1, 1) };
        let at = floor_char(&source.text, span.start as usize);
        let line = source.line(at);
        (line + 1, source.characters_before(at) - source.characters_before(source.lines[line]) + 1)
    }

    /// As [`position`](Self::position); of a value that came by a reference with the other end:
    /// `exp.ron:9:20, from model.block at exp.ron:4:30`.
    pub fn position_with_ends(&self, span: Span) -> String {
        let ends = self.links.of(span).iter();
        let ends: Vec<String> = ends.map(|end| format!("{} at {}", end.path, self.position(end.to))).collect();
        match ends.is_empty() {
            true => self.position(span),
            false => format!("{}, from {}", self.position(span), ends.join(" and ")),
        }
    }

    pub(super) fn note_taken_back(&mut self, more: BTreeMap<String, TakenBack>) {
        self.taken_back.extend(more);
    }

    /// Whether any field was taken back.
    pub(super) fn has_taken_back(&self) -> bool {
        !self.taken_back.is_empty()
    }

    /// Where `Default` is written for the field at a path.
    pub(super) fn taken_back(&self, path: &str) -> Option<Span> {
        self.taken_back.get(path).map(|field| field.value)
    }

    /// The fields that were taken back of a struct with this path and name, and are none that it has; and where their keys are
    /// written.
    pub(super) fn unknown_taken_back<K: AsRef<str>>(
        &self,
        path: &str,
        owner: Option<&str>,
        known: &[K],
    ) -> Vec<(&str, Span)> {
        let key_of = |whole: &'_ str| match path {
            "" => Some(0),
            _ => whole.strip_prefix(path).filter(|rest| rest.starts_with('.')).map(|_| path.len() + 1),
        };
        let fields = self.taken_back.iter().filter(|(_, field)| field.owner.as_deref() == owner);
        let keys = fields.filter_map(|(whole, field)| Some((&whole[key_of(whole)?..], field.key)));
        keys.filter(|(key, _)| !key.contains('.') && known.iter().all(|known| known.as_ref() != *key)).collect()
    }

    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    pub(super) fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }

    /// The whole lines from byte `start` to byte `end`, where they begin, and the number of the first.
    pub(super) fn lines(&self, file: u32, start: usize, end: usize) -> (&str, usize, usize) {
        let Some(source) = self.source(file) else { return ("", 0, 1) };
        let (first, last) = (source.line(start), source.line(end));
        let from = source.lines[first];
        let to = source.lines.get(last + 1).copied().unwrap_or(source.text.len());
        (&source.text[from..to], from, first + 1)
    }

    /// `file:line:column`.
    pub fn position(&self, span: Span) -> String {
        let (line, column) = self.line_column(span);
        format!("{}:{line}:{column}", self.name(span))
    }

    fn add(&mut self, source: Source) -> u32 {
        self.texts.push(source);
        // more than four thousand million files are never read
        u32::try_from(self.texts.len() - 1).unwrap_or(Span::NONE.file)
    }

    fn source(&self, file: u32) -> Option<&Source> {
        self.texts.get(file as usize)
    }
}

impl Source {
    fn new(name: String, text: String, folder: PathBuf) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        let mut count = 0;
        let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
            count += characters(block);
            count
        });
        let characters = std::iter::once(0).chain(blocks).collect();
        Source { name, text, lines, characters, folder }
    }

    fn characters_before(&self, at: usize) -> usize {
        let block = at / BLOCK;
        self.characters[block] + characters(&self.text.as_bytes()[block * BLOCK..at])
    }

    /// The line that byte `at` is on, counted from 0.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).saturating_sub(1)
    }
}

/// How many characters begin in these bytes of a text.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// The character boundary at or before `at`.
pub(super) fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The character boundary at or after `at`.
pub(super) fn ceil_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{MAX_FILE, parse_text};

    #[test]
    fn columns_count_characters_on_lines_of_any_length() {
        let text = format!("{}\n{}", "äx".repeat(BLOCK), "ß€".repeat(2 * BLOCK));
        let mut sources = Sources::new();
        let file = sources.add_file("a.ron", text.as_str(), "");
        for (index, line) in text.split('\n').enumerate() {
            let start = index * (text.find('\n').unwrap() + 1);
            for (column, (byte, _)) in line.char_indices().enumerate() {
                let at = u32::try_from(start + byte).unwrap();
                assert_eq!(sources.line_column(Span { file, start: at, end: at }), (index + 1, column + 1));
            }
        }
        let end = u32::try_from(text.len()).unwrap();
        assert_eq!(sources.line_column(Span { file, start: end, end }), (2, 4 * BLOCK + 1));
    }

    /// So long that counting each column from the start of the line would take minutes.
    #[test]
    fn a_file_of_one_long_line_is_shown() {
        let mut text = "(".to_owned();
        while text.len() < MAX_FILE as usize - 20 {
            text.push_str(&format!("a{}:1,", text.len()));
        }
        let last = text.rfind(':').unwrap() + 2;
        let shown = parse_text("a.ron", &(text + ")")).unwrap().show();
        assert!(shown.ends_with(&format!("a.ron:1:{last}\n)\n")), "{}", &shown[shown.len() - 100..]);
    }
}
