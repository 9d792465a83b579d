//! All mistakes of an experiment together.

use super::diagnostic::Diagnostic;
use super::sources::{Sources, TakenBack};
use super::tree::Span;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Nobody reads more mistakes than this at once.
const MOST: usize = 500;

/// Where mistakes are put while an experiment is read, so that reading can go on after each.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: RefCell<Vec<Diagnostic>>,
    known: RefCell<BTreeSet<(Span, String)>>,
    /// What [`Sources`] gets to know of fields that `Default` has taken back.
    taken_back: RefCell<BTreeMap<String, TakenBack>>,
}

/// Why an experiment was refused: at least one mistake, in the order of the text, each once.
///
/// ```
/// use engine::optim::Clip;
///
/// let errors = engine::config::parse_text("exp.ron", "Norn(1.0)")?.read::<Clip>().unwrap_err();
/// assert!(errors.to_string().contains("did you mean `Norm`?"), "{errors}"); // with the line and carets
/// assert_eq!(errors.short().len(), 1); // for an editor: `file:line:column: message`
/// assert!(errors.short()[0].starts_with("exp.ron:1:1: "));
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ConfigErrors {
    /// The texts that the mistakes point into.
    pub sources: Sources,
    /// The mistakes.
    pub diagnostics: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mistake, unless the same was found at the same place before, or there are more than anyone reads.
    pub fn push(&self, diagnostic: Diagnostic) {
        if self.is_full() || !self.known.borrow_mut().insert((diagnostic.span, diagnostic.message.clone())) {
            return;
        }
        self.found.borrow_mut().push(diagnostic);
        if self.len() == MOST {
            let more = Diagnostic::new(Span::NONE, format!("there may be more than these {MOST} mistakes"));
            self.found.borrow_mut().push(more);
        }
    }

    /// Whether no more mistakes are taken.
    pub(super) fn is_full(&self) -> bool {
        self.len() > MOST
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.found.borrow().len()
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Notes that `Default` takes back the field at a path.
    pub(super) fn take_back(&self, path: String, field: TakenBack) {
        self.taken_back.borrow_mut().insert(path, field);
    }

    /// What was taken back, by its path.
    pub(super) fn taken_back(&self) -> BTreeMap<String, TakenBack> {
        self.taken_back.borrow().clone()
    }

    /// All of them, in the order in which they were found.
    pub(super) fn into_vec(self) -> Vec<Diagnostic> {
        self.found.into_inner()
    }

    /// Adds all to another collection.
    pub(super) fn move_into(self, others: &Diagnostics) {
        for diagnostic in self.found.into_inner() {
            others.push(diagnostic);
        }
    }

    /// Nothing when there are none, and every reference of the experiment leads somewhere.
    ///
    /// # Errors
    /// All mistakes, sorted by their place.
    pub fn into_result(self, sources: &Sources) -> Result<(), ConfigErrors> {
        sources.links().mistakes().iter().for_each(|mistake| self.push(mistake.clone()));
        match self.is_empty() {
            true => Ok(()),
            false => Err(ConfigErrors::new(sources.clone(), self.found.into_inner())),
        }
    }
}

impl ConfigErrors {
    /// Sorts the mistakes by their place, and tells of those that came by a reference where it leads.
    pub fn new(sources: Sources, diagnostics: Vec<Diagnostic>) -> Self {
        let mut diagnostics: Vec<Diagnostic> =
            diagnostics.into_iter().map(|found| sources.links().explain(found)).collect();
        diagnostics.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        diagnostics.dedup();
        ConfigErrors { sources, diagnostics }
    }

    /// Every mistake with its text, an empty line between them; no line end after the last.
    pub fn render(&self, color: bool) -> String {
        let rendered: Vec<String> = self.diagnostics.iter().map(|found| found.render(&self.sources, color)).collect();
        rendered.join("\n\n")
    }

    /// Every mistake as one line.
    pub fn short(&self) -> Vec<String> {
        self.diagnostics.iter().map(|found| found.short(&self.sources)).collect()
    }
}

/// As [`ConfigErrors::render`]: an `unwrap` in a test is to show the mistakes too.
impl fmt::Debug for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

/// As [`ConfigErrors::render`] without colours.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigErrors {}
