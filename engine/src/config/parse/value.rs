//! Values: literals, names, lists, maps, tuples and structs.

use super::super::diagnostic::Diagnostic;
use super::super::identifier::literal;
use super::super::print::key_text;
use super::super::tree::{Field, Kind, Name, Node, Span};
use super::cursor::{Parsed, Parser};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How deep values may be nested.
const MAX_DEPTH: u32 = 128;

impl Parser<'_> {
    /// One value of any kind.
    pub(super) fn value(&mut self) -> Parsed<Node> {
        if self.depth == MAX_DEPTH {
            return Err(Box::new(Diagnostic::new(
                self.next_span(),
                format!("nested more than {MAX_DEPTH} levels deep"),
            )));
        }
        self.depth += 1;
        let node = self.value_at_depth();
        self.depth -= 1;
        node
    }

    /// What stands between `open` and `close`: items with commas between them, and perhaps one after the last.
    pub(super) fn list(
        &mut self,
        open: usize,
        close: char,
        mut item: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        loop {
            self.skip_blank()?;
            if self.eat(close) {
                return Ok(());
            }
            if self.peek().is_none() {
                return Err(self.missing_close(open, close));
            }
            item(self)?;
            self.separator(open, close)?;
        }
    }

    fn value_at_depth(&mut self) -> Parsed<Node> {
        let start = self.at;
        let kind = match self.peek() {
            Some('(') => self.parenthesized(false)?,
            Some('[') => self.sequence()?,
            Some('{') => self.map()?,
            Some('0'..='9' | '+' | '-' | '.') => self.number()?,
            _ => match self.text_literal()? {
                Some(kind) => kind,
                None => return self.name_or_literal(start),
            },
        };
        Ok(Node { span: self.span_since(start), name: None, kind })
    }

    fn name_or_literal(&mut self, start: usize) -> Parsed<Node> {
        let raw = self.rest().starts_with("r#");
        let Some(name) = self.identifier() else { return Err(self.unexpected("a value")) };
        if let Some(kind) = literal(&name.text).filter(|_| !raw) {
            return Ok(Node { span: self.span_since(start), name: None, kind });
        }
        let end = self.at;
        self.skip_blank()?;
        let kind = match self.peek() {
            Some('(') => self.parenthesized(true)?,
            _ => {
                self.at = end;
                Kind::Unit
            }
        };
        Ok(Node { span: self.span_since(start), name: Some(name), kind })
    }

    fn sequence(&mut self) -> Parsed<Kind> {
        let open = self.at;
        self.next();
        let mut items = Vec::new();
        self.list(open, ']', |parser| parser.value().map(|item| items.push(item)))?;
        Ok(Kind::Seq(items))
    }

    fn map(&mut self) -> Parsed<Kind> {
        let open = self.at;
        self.next();
        let mut pairs = Vec::new();
        let ended = self.list(open, '}', |parser| {
            let key = parser.value()?;
            parser.colon("the key")?;
            pairs.push((key, parser.value()?));
            Ok(())
        });
        self.refuse_twice(&mut pairs, |(key, _)| (key_text(key), key.span), |key| format!("key `{key}`"));
        ended.map(|()| Kind::Map(pairs))
    }

    /// `(a, b)` or `(a: 1)`; which of them, the first key says.
    fn parenthesized(&mut self, named: bool) -> Parsed<Kind> {
        let open = self.at;
        self.next();
        self.skip_blank()?;
        if self.eat(')') {
            return Ok(if named { Kind::Tuple(Vec::new()) } else { Kind::Unit });
        }
        if self.at_field()? {
            let mut fields = Vec::new();
            let ended = self.list(open, ')', |parser| parser.field().map(|field| fields.push(field)));
            self.refuse_twice(&mut fields, |field| (field.key.clone(), field.key_span), |key| format!("field `{key}`"));
            return ended.map(|()| Kind::Struct(fields));
        }
        let mut items = Vec::new();
        self.list(open, ')', |parser| parser.value().map(|item| items.push(item)))?;
        Ok(Kind::Tuple(items))
    }

    /// Whether `key:` comes next, or `key =`, which was meant so.
    fn at_field(&mut self) -> Parsed<bool> {
        let start = self.at;
        let key = self.identifier();
        self.skip_blank()?;
        let field = key.is_some() && matches!(self.peek(), Some(':' | '='));
        self.at = start;
        Ok(field)
    }

    fn field(&mut self) -> Parsed<Field> {
        let Some(Name { text: key, span: key_span, .. }) = self.identifier() else {
            return Err(self.unexpected("the name of a field"));
        };
        self.colon(&format!("field `{key}`"))?;
        Ok(Field { key, key_span, value: self.value()? })
    }

    /// Takes out the items whose key an earlier one has; the other mistakes are found without them.
    fn refuse_twice<T>(
        &mut self,
        items: &mut Vec<T>,
        key: impl Fn(&T) -> (String, Span),
        what: impl Fn(&str) -> String,
    ) {
        let mut first: BTreeMap<String, Span> = BTreeMap::new();
        items.retain(|item| {
            let (key, span) = key(item);
            match first.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(span);
                    true
                }
                Entry::Occupied(entry) => {
                    let twice = Diagnostic::new(span, format!("{} is given twice", what(entry.key())));
                    self.mistake(twice.note(*entry.get(), "first given here"));
                    false
                }
            }
        });
    }

    fn colon(&mut self, after: &str) -> Parsed<()> {
        self.skip_blank()?;
        if !self.eat(':') {
            return Err(self.unexpected(&format!("`:` after {after}")));
        }
        self.skip_blank()
    }

    /// A comma, or the end of the list.
    fn separator(&mut self, open: usize, close: char) -> Parsed<()> {
        let end = self.at;
        self.skip_blank()?;
        if self.eat(',') || self.peek() == Some(close) {
            return Ok(());
        }
        if self.peek().is_none() {
            return Err(self.missing_close(open, close));
        }
        let found = self.found();
        let here = |message: String| Diagnostic::new(self.next_span(), message);
        let wrong = match self.peek() {
            Some(')' | ']' | '}') => here(format!("expected `{close}`, {found}")),
            Some(':') if close == ')' => here(format!("expected `,` or `)`, {found}")).label("all have names, or none"),
            Some(':') => here(format!("expected `,` or `]`, {found}")).label("a map is `{..}`"),
            Some('.' | '/' | '\\' | '-' | '@' | '~' | '$') => {
                here(format!("expected `,` or `{close}`, {found}")).label("are quotes missing?")
            }
            _ => {
                let message = format!("expected `,` or `{close}`, {found}");
                Diagnostic::new(self.span(end, end), message).label("missing `,`?")
            }
        };
        let wrong = wrong.note(self.span(open, open + 1), "inside this");
        // a string that took the lines after it for its own
        let text = self.last_text.clone();
        let first_line = self.since(text.start).lines().next().map_or(0, str::len);
        Err(Box::new(match text.end == end && first_line < text.len() {
            true => wrong.note(self.span(text.start, text.start + first_line), "is the end of this string missing?"),
            false => wrong,
        }))
    }

    fn missing_close(&self, open: usize, close: char) -> Box<Diagnostic> {
        let missing = Diagnostic::new(self.next_span(), format!("missing `{close}`"));
        Box::new(missing.note(self.span(open, open + 1), "opened here"))
    }
}
