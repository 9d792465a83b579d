//! Experiment files as trees, by the engine's own parser: what it refuses when a program starts is refused here with the
//! same words.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "the engine uses the rest")]

#[path = "../../engine/src/config/identifier.rs"]
mod identifier;
#[path = "../../engine/src/config/parse/mod.rs"]
mod parse;
#[path = "../../engine/src/config/tree.rs"]
mod tree;

pub(crate) use tree::{Field, Kind, Node};

/// A mistake of the text.
pub(crate) struct Mistake {
    /// `12:5`: its line and column.
    pub(crate) place: String,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

/// Reads a text.
pub(crate) fn read(text: &str) -> Result<Node, Vec<Mistake>> {
    // as an editor that writes a byte order mark leaves it
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    parse::parse(0, text).map_err(|mistakes| mistakes.into_iter().map(|mistake| mistake.told(text)).collect())
}

/// `12:5`: line and column of a byte, as the engine tells them.
pub(crate) fn place(text: &str, at: u32) -> String {
    let before = text.get(..at as usize).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
}

/// What may have been meant.
mod suggest {
    pub(super) fn did_you_mean<'a>(got: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        crate::suggest::did_you_mean(got, &known.into_iter().collect::<Vec<&str>>())
    }
}

/// What the parser says of a mistake.
mod diagnostic {
    use super::{Mistake, place, tree::Span};

    #[derive(Debug)]
    pub(super) struct Diagnostic {
        span: Span,
        message: String,
        label: String,
        helps: Vec<String>,
    }

    impl Diagnostic {
        pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
            Diagnostic { span, message: message.into(), label: String::new(), helps: Vec::new() }
        }
        pub(super) fn label(self, label: impl Into<String>) -> Self {
            Diagnostic { label: label.into(), ..self }
        }
        pub(super) fn suggest(self, meant: Option<&str>) -> Self {
            match meant {
                Some(meant) => self.label(format!("did you mean `{meant}`?")),
                None => self,
            }
        }
        pub(super) fn note(self, _: Span, _: impl Into<String>) -> Self {
            self
        }
        pub(super) fn help(mut self, text: impl Into<String>) -> Self {
            self.helps.push(text.into());
            self
        }
        pub(super) fn told(self, text: &str) -> Mistake {
            let more: Vec<String> =
                [self.label].into_iter().chain(self.helps).filter(|more| !more.is_empty()).collect();
            let more = if more.is_empty() { String::new() } else { format!("; {}", more.join("; ")) };
            Mistake { place: place(text, self.span.start), message: format!("{}{more}", self.message) }
        }
    }
}

/// The keys of a map, for the mistake of one that is there twice.
mod print {
    use super::tree::Node;

    pub(super) fn key_text(key: &Node) -> String {
        format!("{:?}", key.kind)
    }
}
