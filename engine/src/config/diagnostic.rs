//! One mistake in an experiment: where it is, what is wrong, what was meant.

use super::tree::Span;

/// A message with its place. It is rendered as the compiler renders its own, or as one line: `rendered.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The text that is wrong; [`Span::NONE`] when no text is.
    pub span: Span,
    /// The problem first, then what to do; lower case, no full stop.
    pub message: String,
    /// Stands beside the carets; may be empty.
    pub label: String,
    /// Other places that explain this one, also in other files.
    pub notes: Vec<(Span, String)>,
    /// What to do, when the message has not said it.
    pub helps: Vec<String>,
    /// The path of the value in the experiment (`optimizer.lr`); empty when it is the whole.
    pub path: String,
}

impl Diagnostic {
    /// A mistake at `span`.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            span,
            message: message.into(),
            label: String::new(),
            notes: Vec::new(),
            helps: Vec::new(),
            path: String::new(),
        }
    }

    /// Says something beside the carets.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// `did you mean`, when something is near enough to be meant.
    #[must_use]
    pub fn suggest(self, meant: Option<&str>) -> Self {
        match meant {
            Some(meant) => self.label(format!("did you mean `{meant}`?")),
            None => self,
        }
    }

    /// Points at another place.
    #[must_use]
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push((span, text.into()));
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Names the value by its path.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }
}
