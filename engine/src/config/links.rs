//! Where references lead: both ends of each, for messages and for `show`.

use super::diagnostic::Diagnostic;
use super::tree::Span;
use std::collections::{BTreeMap, BTreeSet};

/// A message explains itself by so many references at most.
const MOST_NOTES: usize = 3;

/// More mistakes than anyone reads are not kept.
const MOST_MISTAKES: usize = 1_000;

/// The references that were followed, by the place at which each is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    ends: BTreeMap<Span, Vec<Link>>,
    /// The paths of values with parts that a reference has put there.
    landed: BTreeMap<String, Span>,
    /// The places of what leads nowhere.
    lost: BTreeSet<Span>,
    /// What is wrong with references.
    mistakes: Vec<Diagnostic>,
}

/// The other end of a reference.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The path that it names.
    pub(super) path: String,
    /// The value there.
    pub(super) to: Span,
}

impl Links {
    /// The values that the one written at a place is made of.
    pub(super) fn of(&self, span: Span) -> &[Link] {
        self.ends.get(&span).map_or(&[], Vec::as_slice)
    }

    /// Whether a value is what is left of a reference to nothing, which is told of anyway.
    pub(super) fn is_lost(&self, span: Span) -> bool {
        self.lost.contains(&span)
    }

    /// What is wrong with references.
    pub(super) fn mistakes(&self) -> &[Diagnostic] {
        &self.mistakes
    }

    /// Adds the other ends to a message about a value that came by a reference.
    pub(super) fn explain(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let noted: Vec<Span> = diagnostic.notes.iter().map(|(span, _)| *span).collect();
        let is_new = |span: Span| span.is_some() && span != diagnostic.span && !noted.contains(&span);
        let mut notes: Vec<(Span, String)> = Vec::new();
        let mut add = |span: Span, text: String| {
            if is_new(span) && notes.len() < MOST_NOTES && notes.iter().all(|(known, _)| *known != span) {
                notes.push((span, text));
            }
        };
        let mut at = diagnostic.span;
        for _ in 0..MOST_NOTES {
            let ends = self.of(at);
            ends.iter().for_each(|end| add(end.to, format!("`{}`", end.path)));
            let Some(end) = ends.first() else { break };
            at = end.to;
        }
        for (path, span) in self.landed_above(&diagnostic.path) {
            add(span, format!("`{path}` is this reference"));
        }
        diagnostic.notes.extend(notes);
        diagnostic
    }

    /// The values with parts that hold the one at a path, and that a reference has put there.
    fn landed_above<'l>(&'l self, path: &'l str) -> impl Iterator<Item = (&'l str, Span)> + 'l {
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        ends.filter_map(|end| self.landed.get_key_value(&path[..end]).map(|(path, span)| (path.as_str(), *span)))
    }

    pub(super) fn add(&mut self, from: Span, ends: Vec<Link>) {
        if from.is_some() && !ends.is_empty() {
            self.ends.insert(from, ends);
        }
    }

    pub(super) fn land(&mut self, path: String, from: Span) {
        self.landed.insert(path, from);
    }

    pub(super) fn lose(&mut self, from: Span) {
        self.lost.insert(from);
    }

    /// Notes a mistake; one that was found on the way through another reference gets its path when it is found again.
    pub(super) fn mistake(&mut self, diagnostic: Diagnostic) {
        let room = self.mistakes.len() < MOST_MISTAKES;
        let same = |known: &&mut Diagnostic| known.span == diagnostic.span && known.message == diagnostic.message;
        match self.mistakes.iter_mut().find(same) {
            Some(known) if known.path.is_empty() => *known = diagnostic,
            None if room => self.mistakes.push(diagnostic),
            _ => {}
        }
    }
}
