//! Mistakes as text: with the lines that they are on, as the compiler shows its own, or each as one line.

use super::diagnostic::Diagnostic;
use super::sources::{Sources, ceil_char, floor_char};
use super::tree::Span;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

/// Text of more bytes than this is not shown with a mistake in it, only its place is told.
const MOST_BYTES: usize = 32 << 10;

impl Diagnostic {
    /// One line for editors and logs: `file:line:column: message; label`.
    pub fn short(&self, sources: &Sources) -> String {
        let mut line = match self.span.is_some() {
            true => format!("{}: {}", sources.position(self.span), self.message),
            false => self.message.clone(),
        };
        for text in std::iter::once(&self.label).chain(&self.helps).filter(|text| !text.is_empty()) {
            line.push_str("; ");
            line.push_str(text);
        }
        line
    }

    /// Several lines with the text and carets under it; no line end after the last.
    pub fn render(&self, sources: &Sources, color: bool) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()));
        for file in self.files() {
            group = match self.snippet(sources, file) {
                Some(snippet) => group.element(snippet),
                None => {
                    let (line, column) = sources.line_column(file);
                    group.element(Origin::path(sources.name(file)).line(line).char_column(column))
                }
            };
        }
        if !self.path.is_empty() {
            group = group.element(Level::NOTE.message(format!("at `{}`", self.path)));
        }
        for help in &self.helps {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group]).clone()
    }

    /// The files to show, that of the mistake first.
    fn files(&self) -> Vec<Span> {
        let mut files: Vec<Span> = Vec::new();
        let notes = self.notes.iter().map(|(span, _)| *span);
        for span in std::iter::once(self.span).chain(notes).filter(|span| span.is_some()) {
            if files.iter().all(|known| known.file != span.file) {
                files.push(span);
            }
        }
        files
    }

    /// The lines of a file with what is said of them; none where they are too long to be shown.
    fn snippet<'a>(&'a self, sources: &'a Sources, file: Span) -> Option<Snippet<'a, Annotation<'a>>> {
        // the renderer reads all that it is given, so it is given the lines that it shows
        let text = sources.text(file);
        let places = std::iter::once(self.span).chain(self.notes.iter().map(|(span, _)| *span));
        let ranges = || places.clone().filter(|span| span.file == file.file).map(|span| clamped(text, span));
        let start = ranges().map(|range| range.start).min().unwrap_or(0);
        let end = ranges().map(|range| range.end).max().unwrap_or(0);
        let (lines, from, number) = sources.lines(file.file, start, end);
        if lines.len() > MOST_BYTES {
            return None;
        }
        let within = |span: Span| {
            let range = clamped(text, span);
            range.start - from..range.end - from
        };
        let mut snippet = Snippet::source(lines).line_start(number).path(sources.name(file));
        if self.span.file == file.file {
            let primary = AnnotationKind::Primary.span(within(self.span));
            snippet = snippet.annotation(match self.label.is_empty() {
                true => primary,
                false => primary.label(self.label.as_str()),
            });
        }
        for (span, label) in self.notes.iter().filter(|(span, _)| span.file == file.file) {
            snippet = snippet.annotation(AnnotationKind::Context.span(within(*span)).label(label.as_str()));
        }
        Some(snippet)
    }
}

/// The span's bytes, widened to whole characters of the text: the renderer panics on anything else.
fn clamped(text: &str, span: Span) -> Range<usize> {
    let start = floor_char(text, span.start as usize);
    start..ceil_char(text, span.end as usize).max(start)
}
