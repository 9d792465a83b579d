//! Moving through the text: blanks, comments, identifiers, and the diagnostics of what stands there.

use super::super::diagnostic::Diagnostic;
use super::super::identifier::{is_identifier_part, is_identifier_start};
use super::super::suggest::did_you_mean;
use super::super::tree::{Kind, Name, Node, Span};
use std::ops::Range;

/// The extensions of RON that a file may enable; here they are always on.
const EXTENSIONS: [&str; 4] = ["implicit_some", "unwrap_newtypes", "unwrap_variant_newtypes", "explicit_struct_names"];

/// A syntax error; boxed because it travels through every level of the parser.
pub(super) type Parsed<T> = Result<T, Box<Diagnostic>>;

pub(super) struct Parser<'a> {
    file: u32,
    text: &'a str,
    /// The byte that is read next; always on a character.
    pub(super) at: usize,
    pub(super) depth: u32,
    /// Names may stand for strings: the text is from the command line.
    pub(super) words: bool,
    /// Where the last string in quotes stands.
    pub(super) last_text: Range<usize>,
    /// Mistakes that reading goes on after.
    mistakes: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(file: u32, text: &'a str, at: usize) -> Self {
        Parser { file, text, at, depth: 0, words: false, last_text: 0..0, mistakes: Vec::new() }
    }

    /// Adds a mistake that reading can go on after.
    pub(super) fn mistake(&mut self, diagnostic: Diagnostic) {
        self.mistakes.push(diagnostic);
    }

    pub(super) fn finish(mut self, document: Parsed<Node>) -> Result<Node, Vec<Diagnostic>> {
        match document {
            Ok(node) if self.mistakes.is_empty() => Ok(node),
            Ok(_) => Err(self.mistakes),
            Err(last) => {
                self.mistakes.push(*last);
                Err(self.mistakes)
            }
        }
    }

    /// Attributes, one value, and nothing after it.
    pub(super) fn document(&mut self) -> Parsed<Node> {
        self.skip_blank()?;
        while self.peek() == Some('#') {
            self.attribute()?;
        }
        let node = self.value()?;
        self.skip_blank()?;
        match self.peek() {
            None => Ok(node),
            Some(next) => {
                let unexpected = self.unexpected("the end of the text");
                let help = match next {
                    ':' | '=' if node.name.is_some() => Some("fields are written in brackets: `(key: value, ..)`"),
                    ',' | ')' | ']' | '}' if self.since(0).ends_with([')', ']', '}']) => {
                        Some("the value has ended before this, most likely by a bracket too many")
                    }
                    _ => None,
                };
                Err(match help {
                    Some(help) => Box::new(unexpected.help(help)),
                    None => unexpected,
                })
            }
        }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    pub(super) fn eat_text(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    /// The text from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        // files are at most a few MiB, command lines too: see `MAX_FILE`
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: byte(start), end: byte(end.max(start)) }
    }

    pub(super) fn span_since(&self, start: usize) -> Span {
        self.span(start, self.at)
    }

    /// The word, number or character that comes next.
    pub(super) fn next_token(&self) -> &'a str {
        let rest = self.rest();
        let word = rest.find(|c| !is_identifier_part(c)).unwrap_or(rest.len());
        let length = if word > 0 { word } else { self.peek().map_or(0, char::len_utf8) };
        &rest[..length]
    }

    /// What comes next is not what was expected.
    pub(super) fn unexpected(&self, expected: &str) -> Box<Diagnostic> {
        let unexpected = Diagnostic::new(self.next_span(), format!("expected {expected}, {}", self.found()));
        Box::new(match self.peek() {
            Some('#') => unexpected.help("a comment begins with `//`"),
            Some('“' | '”' | '„' | '«' | '»' | '‘' | '’' | '`') => {
                unexpected.help("strings are quoted by `\"`")
            }
            _ => unexpected,
        })
    }

    /// Where the next token is; at the end of the text, behind the last one.
    pub(super) fn next_span(&self) -> Span {
        match self.next_token() {
            "" => {
                let end = self.text.trim_end().len();
                self.span(end, end)
            }
            token => self.span(self.at, self.at + token.len()),
        }
    }

    /// `found ..` of what comes next.
    pub(super) fn found(&self) -> String {
        match self.next_token() {
            "" => "found the end of the text".to_owned(),
            token => format!("found `{token}`"),
        }
    }

    /// Skips white space and comments.
    pub(super) fn skip_blank(&mut self) -> Parsed<()> {
        loop {
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                match self.peek() {
                    Some(c) if is_blank(c) => self.at += c.len_utf8(),
                    _ => return Ok(()),
                }
            }
        }
    }

    /// An identifier, also a raw one; none when what comes next is something else.
    pub(super) fn identifier(&mut self) -> Option<Name> {
        let start = self.at;
        let rest = self.rest();
        let raw = rest.strip_prefix("r#").filter(|after| after.starts_with(is_raw_part));
        let (from, is_part): (usize, fn(char) -> bool) = match raw {
            Some(_) => (2, is_raw_part),
            None if rest.starts_with(is_identifier_start) => (0, is_identifier_part),
            None => return None,
        };
        let length = rest[from..].find(|c| !is_part(c)).unwrap_or(rest.len() - from);
        let text = rest[from..from + length].to_owned();
        self.at += from + length;
        Some(Name { text, span: self.span_since(start), word: self.words })
    }

    fn skip_block_comment(&mut self) -> Parsed<()> {
        let start = self.at;
        let mut open = 0_usize;
        loop {
            if self.eat_text("/*") {
                open += 1;
            } else if self.eat_text("*/") {
                open -= 1;
                if open == 0 {
                    return Ok(());
                }
            } else if self.next().is_none() {
                return Err(Box::new(Diagnostic::new(self.span(start, start + 2), "this comment is never closed")));
            }
        }
    }

    /// `#![enable(..)]`, `#![type = ".."]`, `#![schema = ".."]`: accepted and without effect.
    fn attribute(&mut self) -> Parsed<()> {
        let start = self.at;
        self.expect("#")?;
        if self.peek() != Some('!') {
            self.at = start;
            return Err(self.unexpected("a value or `#![enable(..)]`"));
        }
        self.expect("!")?;
        self.expect("[")?;
        let name = self.identifier();
        self.skip_blank()?;
        match name.as_ref().map(|name| name.text.as_str()) {
            Some("enable") => {
                let open = self.at;
                if !self.eat('(') {
                    return Err(self.unexpected("`(`"));
                }
                self.list(open, ')', Parser::extension)?;
                self.skip_blank()?;
            }
            Some("type" | "schema") => {
                self.expect("=")?;
                if !matches!(self.text_literal()?, Some(Kind::Str(_))) {
                    return Err(self.unexpected("a string"));
                }
                self.skip_blank()?;
            }
            _ => {
                let span = name.map_or(self.span(self.at, self.at), |name| name.span);
                return Err(Box::new(Diagnostic::new(span, "unknown attribute, expected `#![enable(..)]`")));
            }
        }
        self.expect("]")
    }

    fn extension(&mut self) -> Parsed<()> {
        let Some(name) = self.identifier() else { return Err(self.unexpected("the name of an extension")) };
        if !EXTENSIONS.contains(&name.text.as_str()) {
            let meant = did_you_mean(&name.text, EXTENSIONS);
            let unknown = Diagnostic::new(name.span, format!("unknown extension `{}`", name.text)).suggest(meant);
            self.mistake(unknown);
        }
        Ok(())
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        match self.eat_text(token) {
            true => self.skip_blank(),
            false => Err(self.unexpected(&format!("`{token}`"))),
        }
    }
}

fn is_raw_part(c: char) -> bool {
    is_identifier_part(c) || matches!(c, '.' | '+' | '-')
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200e}' | '\u{200f}')
}
