//! What a sweep file says, before any value is tried: its fields, and what of them may change while the sweep is gone on with.

use crate::cli::sweep::halving::Halve;
use crate::config::{ConfigErrors, Diagnostic, Diagnostics, Document, Kind, Span, Texts, load_file, print_line};
use serde::Deserialize;
use std::path::Path;

/// How trials are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum By {
    /// Every combination once.
    Grid,
    /// Values by chance.
    Random {
        /// How many trials.
        trials: usize,
    },
    /// Values near those of good trials, after some by chance.
    Tpe {
        /// How many trials.
        trials: usize,
        /// How many of them are chosen by chance, before the others.
        #[serde(default = "startup")]
        startup: usize,
    },
}

fn startup() -> usize {
    10
}

/// The fields of a sweep file.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) base: Vec<String>,
    pub(super) base_at: Span,
    pub(super) name: String,
    /// The settings to vary, as they are written.
    over: String,
    pub(super) by: By,
    pub(super) watch: String,
    pub(super) watch_at: Span,
    pub(super) halve: Option<Halve>,
    pub(super) parallel: usize,
    pub(super) seed: u64,
}

/// A sweep file that was read.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) said: Said,
    pub(super) document: Document,
}

impl Written {
    /// Reads a sweep file, or the text that was saved of it.
    pub(super) fn read(path: &Path, texts: Option<&Texts>) -> Result<Written, ConfigErrors> {
        let document = load_file(path, texts)?;
        let diagnostics = Diagnostics::new();
        let said = said(&document, path, &diagnostics);
        diagnostics.into_result(&document.sources)?;
        match said {
            Some(said) => Ok(Written { said, document }),
            None => {
                let mistake = Diagnostic::new(document.root.head(), "the sweep could not be read");
                Err(ConfigErrors::new(document.sources, vec![mistake]))
            }
        }
    }

    /// Which fields make other trials than those of a sweep that began before, each at its place.
    pub(super) fn other_trials(&self, before: &Said) -> Vec<Diagnostic> {
        let now = &self.said;
        let fields = [
            ("base", now.base != before.base),
            ("over", now.over != before.over),
            ("by", !now.by.goes_on(before.by)),
            ("watch", now.watch != before.watch),
            ("halve", now.halve != before.halve),
            ("seed", now.seed != before.seed),
        ];
        let changed = fields.into_iter().filter(|(_, changed)| *changed);
        let told = changed.map(|(field, _)| {
            let at = self.document.root.get(field).map_or(self.document.root.head(), |node| node.span);
            Diagnostic::new(at, format!("`{field}` has changed since the sweep began, which makes other trials"))
                .at(field)
        });
        told.collect()
    }
}

impl By {
    /// Whether the first trials are the same; there may be more or fewer of them.
    fn goes_on(self, before: By) -> bool {
        match (self, before) {
            (By::Random { .. }, By::Random { .. }) => true,
            (By::Tpe { startup, .. }, By::Tpe { startup: before, .. }) => startup == before,
            (now, before) => now == before,
        }
    }
}

fn said(document: &Document, path: &Path, diagnostics: &Diagnostics) -> Option<Said> {
    if document.root.name().is_some_and(|name| name != "Sweep") || !matches!(document.root.kind, Kind::Struct(_)) {
        let message = format!("expected `Sweep(..)`, found {}", document.root.what());
        let help = "a sweep is `Sweep(base: \"exp.ron\", over: {\"optimizer.lr\": LogUniform(1e-4, 1e-1)}, by: Random(trials: 20), watch: \"val/accuracy\")`";
        diagnostics.push(Diagnostic::new(document.root.head(), message).help(help));
        return None;
    }
    let mut reader = document.reader(diagnostics);
    let base: Option<Vec<String>> = match reader.node("base").map(|node| &node.kind) {
        Some(Kind::Seq(_)) => reader.required("base"),
        _ => reader.required("base").map(|base: String| vec![base]),
    };
    let base_at = document.root.get("base").map_or(Span::NONE, |node| node.span);
    if base.as_ref().is_some_and(Vec::is_empty) {
        let message = "a sweep needs the experiment that its trials are made of: `base: \"exp.ron\"`";
        diagnostics.push(Diagnostic::new(base_at, message).at("base"));
    }
    let by = reader.required("by");
    let watch: Option<String> = reader.required("watch");
    let watch_at = document.root.get("watch").map_or(Span::NONE, |node| node.span);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = if reader.node("name").is_some() { reader.required("name") } else { Some(stem) };
    let halve = if reader.node("halve").is_some() { reader.required("halve").map(Some) } else { Some(None) };
    let parallel = if reader.node("parallel").is_some() { reader.required("parallel") } else { Some(1_usize) };
    let seed = if reader.node("seed").is_some() { reader.required("seed") } else { Some(0) };
    if reader.node("over").is_none() {
        let message = "missing field `over` of `Sweep`: the settings to vary";
        diagnostics.push(Diagnostic::new(document.root.head(), message));
    }
    if let Some(node) = reader.node("parallel").filter(|_| parallel.is_some_and(|count| !(1..=1024).contains(&count))) {
        diagnostics.push(Diagnostic::new(node.span, "expected 1 to 1024 trials at a time").at("parallel"));
    }
    if let Some(folder) = &name
        && let Err(error) = crate::folder::check_name(folder)
    {
        let at = reader.node("name").map_or(document.root.head(), |node| node.span);
        diagnostics.push(Diagnostic::new(at, error.to_string()).at("name"));
    }
    reader.finish();
    let (base, name, by, watch) = (base?, name?, by?, watch?);
    let over = document.root.get("over").map(print_line).unwrap_or_default();
    Some(Said { base, base_at, name, over, by, watch, watch_at, halve: halve?, parallel: parallel?, seed: seed? })
}
