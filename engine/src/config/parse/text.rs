//! Strings, characters and byte strings with their escapes.

use super::super::diagnostic::Diagnostic;
use super::super::tree::Kind;
use super::cursor::{Parsed, Parser};

impl<'a> Parser<'a> {
    /// A literal that begins with a quote or one of the prefixes `r`, `b`, `br`; none when it is something else.
    pub(super) fn text_literal(&mut self) -> Parsed<Option<Kind>> {
        let rest = self.rest();
        Ok(Some(if rest.starts_with('"') {
            Kind::Str(self.string()?)
        } else if rest.starts_with('\'') {
            Kind::Char(self.character()?)
        } else if rest.starts_with("b'") {
            Kind::Int(self.byte()?)
        } else if rest.starts_with("b\"") {
            self.at += 1;
            Kind::Bytes(self.quoted()?)
        } else if is_raw(rest, "br") {
            Kind::Bytes(self.raw("br")?.as_bytes().to_vec())
        } else if is_raw(rest, "r") {
            Kind::Str(self.raw("r")?.to_owned())
        } else {
            return Ok(None);
        }))
    }

    /// `".."` with escapes.
    pub(super) fn string(&mut self) -> Parsed<String> {
        let start = self.at;
        String::from_utf8(self.quoted()?).map_err(|_| {
            Box::new(Diagnostic::new(self.span_since(start), "the `\\x` escapes of this string are not UTF-8"))
        })
    }

    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        let start = self.at;
        self.next();
        let mut bytes = Vec::new();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(self.never_closed(start, "string")),
                Some('"') => {
                    self.last_text = start..self.at;
                    return Ok(bytes);
                }
                Some('\\') if self.line_end() => self.skip_line_continuation(),
                Some('\\') => match self.escape(at)? {
                    Escape::Char(c) => push_char(&mut bytes, c),
                    Escape::Byte(byte) => bytes.push(byte),
                },
                Some(c) => push_char(&mut bytes, c),
            }
        }
    }

    /// `'x'`
    fn character(&mut self) -> Parsed<char> {
        let start = self.at;
        self.next();
        let at = self.at;
        let c = match self.next() {
            Some('\\') => match self.escape(at)? {
                Escape::Char(c) => c,
                Escape::Byte(byte) if byte.is_ascii() => char::from(byte),
                Escape::Byte(_) => return Err(self.malformed(at, "a character above `\\x7F` is written `\\u{..}`")),
            },
            Some(c) => c,
            None => return Err(self.never_closed(start, "character")),
        };
        match self.eat('\'') {
            true => Ok(c),
            false => Err(self.single_quoted(start)),
        }
    }

    /// A string in single quotes, as other languages have it.
    fn single_quoted(&mut self, start: usize) -> Box<Diagnostic> {
        let message = "a character is one letter in single quotes, a string has double quotes";
        let line = self.rest().lines().next().unwrap_or_default();
        match line.find('\'') {
            Some(end) => {
                self.at += end + 1;
                let text = self.since(start).trim_matches('\'');
                Box::new(Diagnostic::new(self.span_since(start), message).label(format!("write `{text:?}`")))
            }
            None => self.malformed(start, message),
        }
    }

    /// `b'x'`, a number.
    fn byte(&mut self) -> Parsed<i128> {
        let start = self.at;
        self.at += 2;
        let at = self.at;
        let byte = match self.next() {
            Some('\\') => match self.escape(at)? {
                Escape::Byte(byte) => byte,
                Escape::Char(c) => u8::try_from(c).map_err(|_| self.malformed(at, "this is more than one byte"))?,
            },
            Some(c) if c.is_ascii() => c as u8,
            _ => return Err(self.malformed(start, "a byte is one ASCII letter in single quotes")),
        };
        match self.eat('\'') {
            true => Ok(i128::from(byte)),
            false => Err(self.malformed(start, "a byte is one ASCII letter in single quotes")),
        }
    }

    /// `r#".."#`
    fn raw(&mut self, prefix: &str) -> Parsed<&'a str> {
        let start = self.at;
        self.at += prefix.len();
        let rest = self.rest();
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        let text = &rest[hashes + 1..];
        match text.find(&close) {
            Some(end) => {
                self.at += hashes + 1 + end + close.len();
                Ok(&text[..end])
            }
            None => {
                let open = self.span(start, self.at + hashes + 1);
                let message = format!("this raw string is never closed, expected `{close}`");
                Err(Box::new(Diagnostic::new(open, message)))
            }
        }
    }

    /// The escape after a backslash at `start`.
    fn escape(&mut self, start: usize) -> Parsed<Escape> {
        let c = match self.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('0') => '\0',
            Some(c @ ('\\' | '\'' | '"')) => c,
            Some('x') => {
                let digits = self.hex_digits(2);
                let byte = (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten();
                return byte.map(Escape::Byte).ok_or_else(|| self.malformed(start, "`\\x` needs two hex digits"));
            }
            Some('u') => {
                let open = self.eat('{');
                let digits = self.hex_digits(6);
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                match code.filter(|_| open && self.eat('}')) {
                    Some(c) => c,
                    None => return Err(self.malformed(start, "`\\u{..}` needs the hex digits of a character")),
                }
            }
            _ => {
                let message = "unknown escape, expected one of `\\n`, `\\r`, `\\t`, `\\0`, `\\\\`, `\\\"`, `\\'`, `\\x..`, `\\u{..}`";
                let help = "a raw string `r\"..\"` has no escapes";
                return Err(Box::new(Diagnostic::new(self.span_since(start), message).help(help)));
            }
        };
        Ok(Escape::Char(c))
    }

    fn hex_digits(&mut self, most: usize) -> &'a str {
        let start = self.at;
        while self.at - start < most && self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
            self.at += 1;
        }
        self.since(start)
    }

    fn line_end(&self) -> bool {
        self.rest().starts_with('\n') || self.rest().starts_with("\r\n")
    }

    fn skip_line_continuation(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn never_closed(&self, start: usize, what: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::new(self.span(start, start + 1), format!("this {what} is never closed")))
    }

    fn malformed(&self, start: usize, message: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::new(self.span_since(start), message))
    }
}

enum Escape {
    Char(char),
    Byte(u8),
}

fn push_char(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Whether a raw string begins here: the prefix, any number of `#`, a quote.
fn is_raw(rest: &str, prefix: &str) -> bool {
    rest.strip_prefix(prefix).is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
}
