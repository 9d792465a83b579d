//! Values: literals, names, lists, maps, tuples and structs.

use super::super::diagnostic::Diagnostic;
use super::super::tree::{Field, Kind, Name, Node};
use super::MAX_DEPTH;
use super::cursor::{Parsed, Parser};

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
        self.list(open, '}', |parser| {
            let key = parser.value()?;
            parser.colon("the key")?;
            pairs.push((key, parser.value()?));
            Ok(())
        })?;
        Ok(Kind::Map(pairs))
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
            self.list(open, ')', |parser| parser.field(&mut fields))?;
            return Ok(Kind::Struct(fields));
        }
        let mut items = Vec::new();
        self.list(open, ')', |parser| parser.value().map(|item| items.push(item)))?;
        Ok(Kind::Tuple(items))
    }

    /// Whether `key:` comes next.
    fn at_field(&mut self) -> Parsed<bool> {
        let start = self.at;
        let key = self.identifier();
        self.skip_blank()?;
        let field = key.is_some() && self.peek() == Some(':');
        self.at = start;
        Ok(field)
    }

    fn field(&mut self, fields: &mut Vec<Field>) -> Parsed<()> {
        let Some(Name { text: key, span: key_span, .. }) = self.identifier() else {
            return Err(self.unexpected("the name of a field"));
        };
        self.colon(&format!("field `{key}`"))?;
        let value = self.value()?;
        match fields.iter().find(|known| known.key == key) {
            Some(first) => {
                let twice = Diagnostic::new(key_span, format!("field `{key}` is given twice"));
                let twice = twice.note(first.key_span, "first given here");
                self.mistake(twice);
            }
            None => fields.push(Field { key, key_span, value }),
        }
        Ok(())
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
        let message = format!("expected `,` or `{close}`, {}", self.found());
        let missing = Diagnostic::new(self.span(end, end), message).label("missing `,`?");
        Err(Box::new(missing.note(self.span(open, open + 1), "inside this")))
    }

    fn missing_close(&self, open: usize, close: char) -> Box<Diagnostic> {
        let missing = Diagnostic::new(self.next_span(), format!("missing `{close}`"));
        Box::new(missing.note(self.span(open, open + 1), "opened here"))
    }
}

/// Whether the identifier is a value of its own.
pub(super) fn is_literal(text: &str) -> bool {
    literal(text).is_some()
}

fn literal(text: &str) -> Option<Kind> {
    Some(match text {
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        "inf" | "inff32" | "inff64" => Kind::Float(f64::INFINITY),
        "NaN" | "NaNf32" | "NaNf64" => Kind::Float(f64::NAN),
        _ => return None,
    })
}
