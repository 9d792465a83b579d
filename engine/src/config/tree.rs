//! The tree that an experiment file is read into: every value, name and key knows where it was written.
//!
//! The tree keeps what RON's own value type drops (names of structs and variants, positions), and knows nothing of
//! the types it will be read as.

/// A range of bytes in one of the [`Sources`](super::Sources).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which source, in the order in which they were added.
    pub file: u32,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A value.
#[derive(Clone, Debug)]
pub struct Node {
    /// The whole value, its name included.
    pub span: Span,
    /// `AdamW` of `AdamW(lr: 0.1)`, `None`, `Some`, a bare `Ema`.
    pub name: Option<Name>,
    /// What follows the name.
    pub kind: Kind,
}

/// The name in front of a value, or that is the value.
#[derive(Clone, Debug)]
pub struct Name {
    /// The identifier, without `r#`.
    pub text: String,
    /// Where it was written.
    pub span: Span,
    /// Written on the command line: where a string is wanted, the name is one.
    pub word: bool,
}

/// `key: value` of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// The identifier, without `r#`.
    pub key: String,
    /// Where the key was written.
    pub key_span: Span,
    /// What it is set to.
    pub value: Node,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `true`, `false`
    Bool(bool),
    /// Any integer of up to 128 bits, signed.
    Int(i128),
    /// A float, `inf` or `NaN`.
    Float(f64),
    /// `".."` or `r#".."#`
    Str(String),
    /// `'x'`
    Char(char),
    /// `b".."` or `br#".."#`
    Bytes(Vec<u8>),
    /// `()` without a name, a bare identifier with one.
    Unit,
    /// `(a, b)`, `Name(a, b)`, `Name()`
    Tuple(Vec<Node>),
    /// `(a: 1)`, `Name(a: 1)`
    Struct(Vec<Field>),
    /// `[a, b]`
    Seq(Vec<Node>),
    /// `{a: b}`
    Map(Vec<(Node, Node)>),
}

impl Span {
    /// Nowhere: of values that no text gave.
    pub const NONE: Span = Span { file: u32::MAX, start: 0, end: 0 };

    /// Whether it points into a text.
    pub fn is_some(self) -> bool {
        self.file != Span::NONE.file
    }

    /// Whether the other span lies within this one.
    pub(super) fn holds(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The first byte alone.
    pub(super) fn first(self) -> Span {
        Span { end: self.end.min(self.start.saturating_add(1)), ..self }
    }
}

impl Field {
    /// A field that no text gave.
    pub fn new(key: impl Into<String>, value: Node) -> Field {
        Field { key: key.into(), key_span: Span::NONE, value }
    }
}

impl Node {
    /// A value that no text gave.
    pub fn new(kind: Kind) -> Node {
        Node { span: Span::NONE, name: None, kind }
    }

    /// A value with a name that no text gave.
    pub fn named(name: impl Into<String>, kind: Kind) -> Node {
        Node { name: Some(Name { text: name.into(), span: Span::NONE, word: false }), ..Node::new(kind) }
    }

    /// The name's text.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|name| name.text.as_str())
    }

    /// The fields of a struct; none of anything else.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// The value of a field, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.kind {
            Kind::Struct(fields) => fields.iter_mut().find(|field| field.key == key).map(|field| &mut field.value),
            _ => None,
        }
    }

    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.fields().iter().find(|field| field.key == key).map(|field| &field.value)
    }

    /// The value at a path: fields, indices and unique names of list elements, joined by dots
    /// (`custom_hooks.0.decay`, `custom_hooks.Ema.decay`). `Some(..)` is looked through.
    pub fn find(&self, path: &str) -> Option<&Node> {
        path.split('.').filter(|segment| !segment.is_empty()).try_fold(self, Node::child)
    }

    /// Hands every string in it over, with its place.
    pub(crate) fn each_text(&self, see: &mut dyn FnMut(&str, Span)) {
        match &self.kind {
            Kind::Str(text) => see(text, self.span),
            Kind::Struct(fields) => fields.iter().for_each(|field| field.value.each_text(see)),
            Kind::Tuple(items) | Kind::Seq(items) => items.iter().for_each(|item| item.each_text(see)),
            Kind::Map(pairs) => pairs.iter().for_each(|(_, value)| value.each_text(see)),
            _ => {}
        }
    }

    /// What it is, for messages: ``integer `3` ``, `` `Ema(..)` ``.
    pub fn what(&self) -> String {
        match (&self.kind, self.name()) {
            (Kind::Unit, Some(name)) => format!("`{name}`"),
            (Kind::Tuple(_) | Kind::Struct(_), Some(name)) => format!("`{name}(..)`"),
            (Kind::Bool(value), _) => format!("`{value}`"),
            (Kind::Int(value), _) => format!("integer `{value}`"),
            (Kind::Float(value), _) => format!("float `{value:?}`"),
            (Kind::Str(text), _) => format!("string `{:?}`", shortened(text)),
            (Kind::Char(value), _) => format!("character `{value:?}`"),
            (Kind::Bytes(_), _) => "a byte string".to_owned(),
            (Kind::Unit, None) => "`()`".to_owned(),
            (Kind::Tuple(items), None) if items.len() == 1 => "`(..)` of one value".to_owned(),
            (Kind::Tuple(items), None) => format!("`(..)` of {} values", items.len()),
            (Kind::Struct(_), None) => "fields `(..: ..)`".to_owned(),
            (Kind::Seq(_), _) => "a list `[..]`".to_owned(),
            (Kind::Map(_), _) => "a map `{..}`".to_owned(),
        }
    }

    /// As [`Node::what`] of what follows the name.
    pub(super) fn what_inside(&self) -> String {
        match &self.kind {
            Kind::Unit => "nothing".to_owned(),
            Kind::Tuple(items) if items.is_empty() => "nothing".to_owned(),
            Kind::Tuple(items) if items.len() > 1 => format!("{} values", items.len()),
            Kind::Struct(_) => "fields `(..: ..)`".to_owned(),
            _ => self.what(),
        }
    }

    /// `x` of `Some(x)`.
    pub(super) fn some_inner(&self) -> Option<&Node> {
        match (&self.kind, self.name()) {
            (Kind::Tuple(items), Some("Some")) if items.len() == 1 => items.first(),
            _ => None,
        }
    }

    /// Whether there are fields in it, at any depth.
    pub(super) fn holds_fields(&self) -> bool {
        match &self.kind {
            Kind::Struct(fields) => !fields.is_empty(),
            Kind::Seq(items) | Kind::Tuple(items) => items.iter().any(Node::holds_fields),
            Kind::Map(pairs) => pairs.iter().any(|(_, value)| value.holds_fields()),
            _ => false,
        }
    }

    /// How many values stand within each other, 1 for one without parts.
    pub(super) fn depth(&self) -> usize {
        let deepest = match &self.kind {
            Kind::Struct(fields) => fields.iter().map(|field| field.value.depth()).max(),
            Kind::Seq(items) | Kind::Tuple(items) => items.iter().map(Node::depth).max(),
            Kind::Map(pairs) => pairs.iter().map(|(key, value)| key.depth().max(value.depth())).max(),
            _ => None,
        };
        1 + deepest.unwrap_or(0)
    }

    /// Where a message about the value as a whole points: its name, or all of it when it has none.
    pub fn head(&self) -> Span {
        self.name.as_ref().map_or(self.span, |name| name.span)
    }

    fn child(&self, segment: &str) -> Option<&Node> {
        if let Some(inner) = self.some_inner() {
            return inner.child(segment);
        }
        match &self.kind {
            Kind::Struct(_) => self.get(segment),
            Kind::Seq(items) | Kind::Tuple(items) => match segment.parse::<usize>() {
                Ok(index) => items.get(index),
                Err(_) => {
                    let mut named = items.iter().filter(|item| item.name() == Some(segment));
                    named.next().filter(|_| named.next().is_none())
                }
            },
            Kind::Map(pairs) => pairs.iter().find(|(key, _)| key.is_key(segment)).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether a map's key is what a path's segment says.
    pub(super) fn is_key(&self, segment: &str) -> bool {
        match &self.kind {
            Kind::Str(text) => text == segment,
            Kind::Int(value) => value.to_string() == segment,
            Kind::Unit => self.name() == Some(segment),
            _ => false,
        }
    }
}

/// At most 40 characters of a text that a message quotes.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
