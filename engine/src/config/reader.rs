//! Reading a struct section by section, when no one type describes all of it.
//!
//! Every section is read on its own, so that a mistake in one hides none in another; what no one asked for is unknown.

use super::de::{BRACKETS, Place, Segment, join, missing_field, read_at, unknown};
use super::diagnostic::Diagnostic;
use super::document::Document;
use super::errors::Diagnostics;
use super::tree::{Field, Kind, Node, Span};
use serde::de::DeserializeOwned;

/// The fields of one struct of an experiment. [`StructReader::finish`] reports the fields that were not asked for.
///
/// ```
/// use engine::config::{Diagnostics, parse_text};
///
/// let document = parse_text("exp.ron", "(epochs: 3, optimizer: (lr: 0.1, momentun: 0.9))")?;
/// let diagnostics = Diagnostics::new();
/// let mut reader = document.reader(&diagnostics);
/// let epochs: Option<u64> = reader.required("epochs");
/// let seed: Option<u64> = reader.optional("seed");
/// let mut optimizer = reader.required_struct("optimizer").unwrap();
/// let lr: Option<f64> = optimizer.required("lr");
/// let momentum: Option<f64> = optimizer.optional("momentum");
/// optimizer.finish();
/// reader.finish();
/// assert_eq!((epochs, seed, lr, momentum), (Some(3), None, Some(0.1), None));
///
/// let errors = diagnostics.into_result(&document.sources).unwrap_err();
/// assert!(errors.to_string().contains("did you mean `momentum`?"), "{errors}");
/// # Ok::<(), engine::base::Error>(())
/// ```
#[must_use = "`finish` reports unknown fields"]
pub struct StructReader<'a> {
    document: &'a Document,
    diagnostics: &'a Diagnostics,
    node: &'a Node,
    /// Where the key of this struct was written.
    key_span: Option<Span>,
    path: String,
    asked: Vec<String>,
    /// A near miss of these was reported: their absence need not be.
    missing: Vec<&'static str>,
}

impl Document {
    /// Reads the outermost struct section by section; mistakes go to `diagnostics`.
    pub fn reader<'a>(&'a self, diagnostics: &'a Diagnostics) -> StructReader<'a> {
        StructReader::of(self, diagnostics, &self.root, None, String::new())
    }
}

impl<'a> StructReader<'a> {
    /// Reads a field that must be there.
    pub fn required<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        let field = self.required_field(key)?;
        self.read(field)
    }

    /// Reads a field that may be absent or `None`. There is also no value when it is wrong; `diagnostics` tell.
    pub fn optional<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        let field = self.optional_field(key)?;
        self.read(field)
    }

    /// A struct within this one that must be there.
    pub fn required_struct(&mut self, key: &'static str) -> Option<StructReader<'a>> {
        let field = self.required_field(key)?;
        self.nested(field)
    }

    /// A struct within this one that may be absent or `None`.
    pub fn optional_struct(&mut self, key: &'static str) -> Option<StructReader<'a>> {
        let field = self.optional_field(key)?;
        self.nested(field)
    }

    /// Reads a field whose key the user chose.
    pub fn named<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let field = self.field(key)?;
        self.read(field)
    }

    /// The tree of a field, for rules of one's own; it counts as asked for.
    pub fn node(&mut self, key: &str) -> Option<&'a Node> {
        self.field(key).map(|field| &field.value)
    }

    /// Reports the fields that were not asked for, and ends the reading.
    pub fn finish(self) {
        self.finish_with(&|_| None);
    }

    /// As [`finish`](Self::finish); `help` may know where a key belongs that is near to none of those here.
    pub fn finish_with(self, help: &dyn Fn(&str) -> Option<String>) {
        let asked: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        for field in self.node.fields().iter().filter(|field| !self.asked.contains(&field.key)) {
            let problem = format!("unknown field `{}`", field.key);
            let mistake = unknown(field.key_span, &problem, &field.key, &asked);
            let help = help(&field.key).filter(|_| mistake.label.is_empty());
            self.push(
                &field.key,
                match help {
                    Some(help) => Diagnostic::new(field.key_span, problem).help(help),
                    None => mistake,
                },
            );
        }
        let sources = &self.document.sources;
        for (key, at) in sources.unknown_taken_back(&self.path, self.node.name(), &self.asked) {
            self.push(key, unknown(at, &format!("unknown field `{key}`"), key, &asked));
        }
        // what is no struct has been told
        let missing = if is_fields(self.node) { self.missing.as_slice() } else { &[] };
        for key in missing {
            let meant = |field: &Field| {
                !self.asked.contains(&field.key)
                    && crate::base::suggest::did_you_mean(&field.key, asked.iter().copied()) == Some(key)
            };
            // the misspelt field was to be it
            if !self.node.fields().iter().any(meant) {
                let mut path = self.path.clone();
                join(&mut path, key);
                let taken_back = self.document.sources.taken_back(&path);
                self.push("", missing_field(self.head(), key, self.node.name(), taken_back));
            }
        }
    }

    fn of(
        document: &'a Document,
        diagnostics: &'a Diagnostics,
        node: &'a Node,
        key_span: Option<Span>,
        path: String,
    ) -> Self {
        let reader =
            StructReader { document, diagnostics, node, key_span, path, asked: Vec::new(), missing: Vec::new() };
        // a reference that leads nowhere was told
        if !is_fields(node) && !document.sources.links().is_lost(node.span) {
            let message = format!("expected fields by name, `(key: ..)`, found {}", node.what());
            let mistake = Diagnostic::new(node.span, message);
            reader.push(
                "",
                match node.kind {
                    Kind::Map(_) => mistake.help(BRACKETS),
                    _ => mistake,
                },
            );
        }
        reader
    }

    fn field(&mut self, key: &str) -> Option<&'a Field> {
        if !self.asked.iter().any(|asked| asked == key) {
            self.asked.push(key.to_owned());
        }
        self.node.fields().iter().find(|field| field.key == key)
    }

    fn optional_field(&mut self, key: &'static str) -> Option<&'a Field> {
        let none = |value: &Node| matches!(value.kind, Kind::Unit) && value.name() == Some("None");
        self.field(key).filter(|field| !none(&field.value))
    }

    fn required_field(&mut self, key: &'static str) -> Option<&'a Field> {
        let field = self.field(key);
        if field.is_none() {
            self.missing.push(key);
        }
        field
    }

    fn read<T: DeserializeOwned>(&self, field: &'a Field) -> Option<T> {
        let root = Place::root(&self.path);
        let segment = Segment::Field { key: &field.key, span: field.key_span };
        let place = Place { parent: Some(&root), segment };
        read_at(&field.value, &self.document.sources, self.diagnostics, &place)
    }

    fn nested(&self, field: &'a Field) -> Option<StructReader<'a>> {
        let mut path = self.path.clone();
        join(&mut path, &field.key);
        Some(Self::of(self.document, self.diagnostics, &field.value, Some(field.key_span), path))
    }

    fn head(&self) -> Span {
        match &self.node.name {
            Some(name) => name.span,
            None => self.key_span.unwrap_or(self.node.span.first()),
        }
    }

    fn push(&self, within: &str, diagnostic: Diagnostic) {
        let mut path = self.path.clone();
        join(&mut path, within);
        self.diagnostics.push(diagnostic.at(path));
    }
}

/// Whether a value can be a struct: one with fields, or with none.
fn is_fields(node: &Node) -> bool {
    match &node.kind {
        Kind::Struct(_) | Kind::Unit => true,
        Kind::Tuple(items) => items.is_empty(),
        _ => false,
    }
}
