//! The texts that spans point into: files, and values given on the command line.

use super::tree::Span;
use std::path::{Path, PathBuf};

/// Every text read so far.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    folder: PathBuf,
    argument: bool,
}

impl Sources {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file's text; relative paths in it are relative to `folder`.
    pub fn add_file(&mut self, name: impl Into<String>, text: impl Into<String>, folder: impl Into<PathBuf>) -> u32 {
        self.add(Source::new(name.into(), text.into(), folder.into(), false))
    }

    /// Adds a text given on the command line after the option `name`.
    pub fn add_argument(&mut self, name: impl Into<String>, text: impl Into<String>) -> u32 {
        self.add(Source::new(name.into(), text.into(), PathBuf::new(), true))
    }

    /// The file's name as it was given; empty for a span that points nowhere.
    pub fn name(&self, span: Span) -> &str {
        self.source(span.file).map_or("", |source| &source.name)
    }

    /// The whole text that the span lies in.
    pub fn text(&self, span: Span) -> &str {
        self.source(span.file).map_or("", |source| &source.text)
    }

    /// What relative paths written at `span` are relative to; empty stands for the current folder.
    pub fn folder(&self, span: Span) -> &Path {
        self.source(span.file).map_or(Path::new(""), |source| &source.folder)
    }

    /// Whether the span lies in a text of the command line.
    pub fn is_argument(&self, span: Span) -> bool {
        self.source(span.file).is_some_and(|source| source.argument)
    }

    /// Line and column (in characters) of the span's first byte, counted from 1.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let Some(source) = self.source(span.file) else { return (1, 1) };
        let at = floor_char(&source.text, span.start as usize);
        let line = source.line(at);
        (line + 1, source.text[source.lines[line]..at].chars().count() + 1)
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
    fn new(name: String, text: String, folder: PathBuf, argument: bool) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        Source { name, text, lines, folder, argument }
    }

    /// The line that byte `at` is on, counted from 0.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).saturating_sub(1)
    }
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
