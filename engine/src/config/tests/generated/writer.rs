//! Writes a value as RON in any of the ways in which it can be written.

use super::leniencies::Leniency;
use super::random::Random;
use super::shapes::{Inner, Newtype, Pair, Shape};
use std::collections::BTreeSet;

/// A text under way.
pub(super) struct Writer<'r> {
    random: &'r mut Random,
    pub(super) text: String,
    /// What the `ron` crate does not read may be written, once in so many times; 0 is never.
    lenient: usize,
    /// What of it was.
    pub(super) used: BTreeSet<Leniency>,
    implicit_some: bool,
    unwrap_newtypes: bool,
    unwrap_variants: bool,
    /// The value is that of a variant or `Some`, whose brackets are those of its own: `Of(a: 1)`.
    inside_variant: bool,
}

impl<'r> Writer<'r> {
    pub(super) fn new(random: &'r mut Random, lenient: usize) -> Self {
        Writer {
            random,
            text: String::new(),
            lenient,
            used: BTreeSet::new(),
            implicit_some: false,
            unwrap_newtypes: false,
            unwrap_variants: false,
            inside_variant: false,
        }
    }

    /// A whole text: attributes, the value, and blanks around them.
    pub(super) fn document(&mut self, shape: &Shape) {
        self.blank();
        if self.random.one_in(4) {
            self.attributes();
        }
        self.shape(shape);
        self.blank();
        if self.random.one_in(20) {
            self.text.push_str("// the end");
        }
    }

    fn attributes(&mut self) {
        if self.random.one_in(4) {
            self.text.push_str("#![type = \"engine::Shape\"]");
            self.blank();
        }
        let mut enabled = Vec::new();
        for (name, flag) in [
            ("implicit_some", &mut self.implicit_some),
            ("unwrap_newtypes", &mut self.unwrap_newtypes),
            ("unwrap_variant_newtypes", &mut self.unwrap_variants),
        ] {
            *flag = self.random.one_in(2);
            if *flag {
                enabled.push(name);
            }
        }
        if enabled.is_empty() && !self.may(Leniency::NothingEnabled) {
            return;
        }
        let comma = if self.random.one_in(2) && !enabled.is_empty() { "," } else { "" };
        self.text.push_str(&format!("#![enable({}{comma})]", enabled.join(", ")));
        self.blank();
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Unit => {
                self.variant("Unit");
                if self.may(Leniency::EmptyBrackets) {
                    self.text.push_str("()");
                }
            }
            Shape::I8(value) => self.value("I8", |w| w.integer(i128::from(*value), "i8")),
            Shape::I16(value) => self.value("I16", |w| w.integer(i128::from(*value), "i16")),
            Shape::I32(value) => self.value("I32", |w| w.integer(i128::from(*value), "i32")),
            Shape::I64(value) => self.value("I64", |w| w.integer(i128::from(*value), "i64")),
            Shape::I128(value) => self.value("I128", |w| w.integer(*value, "i128")),
            Shape::U8(value) => self.value("U8", |w| w.integer(i128::from(*value), "u8")),
            Shape::U16(value) => self.value("U16", |w| w.integer(i128::from(*value), "u16")),
            Shape::U32(value) => self.value("U32", |w| w.integer(i128::from(*value), "u32")),
            Shape::U64(value) => self.value("U64", |w| w.integer(i128::from(*value), "u64")),
            Shape::F32(value) => self.value("F32", |w| w.float(format!("{value:?}"), format!("{value:e}"), "f32")),
            Shape::F64(value) => self.value("F64", |w| w.float(format!("{value:?}"), format!("{value:e}"), "f64")),
            Shape::Bool(value) => self.value("Bool", |w| w.text.push_str(&value.to_string())),
            Shape::Char(value) => self.value("Char", |w| w.character(*value)),
            Shape::Text(value) => self.value("Text", |w| w.string(value)),
            Shape::Bytes(value) => self.value("Bytes", |w| w.bytes(&value.0)),
            Shape::Optional(value) => {
                self.value("Optional", |w| w.option(*value, |w, value| w.integer(i128::from(value), "u32")))
            }
            Shape::Twice(value) => self.value("Twice", |w| {
                // without `Some`, `None` would be the outer one
                let implicit = std::mem::take(&mut w.implicit_some);
                let lenient = std::mem::take(&mut w.lenient);
                w.option(*value, |w, value| w.option(value, |w, value| w.newtype(value)));
                (w.implicit_some, w.lenient) = (implicit, lenient);
            }),
            Shape::OptionalInner(value) => self.value("OptionalInner", |w| w.option(value.as_ref(), Self::inner)),
            Shape::New(value) => self.value("New", |w| w.newtype(*value)),
            Shape::Of(value) => self.value("Of", |w| w.inner(value)),
            Shape::Bare(_) if self.unwrap_variants => {
                self.variant("Bare");
                self.open('(');
                self.text.push(')');
            }
            Shape::Bare(_) => self.value("Bare", |w| match w.random.one_in(2) {
                true => {
                    w.text.push_str("Bare");
                    if w.may(Leniency::EmptyBrackets) {
                        w.text.push_str("()");
                    }
                }
                false => w.unit(),
            }),
            Shape::Pair(number, pair) => {
                self.variant("Pair");
                self.open('(');
                self.integer(i128::from(*number), "i16");
                self.comma();
                self.pair(pair);
                self.close(')');
            }
            Shape::Tuple((number, letter)) => self.value("Tuple", |w| {
                let (number, letter) = (*number, *letter);
                w.tuple(|w| w.integer(i128::from(number), "u8"), |w| w.character(letter));
            }),
            Shape::Units((), ()) => {
                self.variant("Units");
                self.open('(');
                self.unit();
                self.comma();
                self.unit();
                self.close(')');
            }
            Shape::Fields { r#type, größe, raw } => {
                self.variant("Fields");
                self.fields(3, |w, index| match index {
                    0 => {
                        w.text.push_str("r#type");
                        w.colon();
                        w.list(r#type);
                    }
                    1 => {
                        w.identifier("größe");
                        w.colon();
                        w.option(*größe, Self::character);
                    }
                    _ => {
                        w.text.push_str("r#a-b.c");
                        w.colon();
                        w.shape(raw);
                    }
                });
            }
            Shape::List(items) => self.value("List", |w| w.list(items)),
            Shape::Map(map) => self.value("Map", |w| {
                w.inside_variant = false;
                w.open('{');
                for (index, ((number, letter), shape)) in map.iter().enumerate() {
                    w.comma_before(index);
                    w.tuple(|w| w.integer(i128::from(*number), "u8"), |w| w.character(*letter));
                    w.colon();
                    w.shape(shape);
                }
                w.close_list('}', map.len());
            }),
            Shape::Texts(map) => self.value("Texts", |w| {
                w.inside_variant = false;
                let is_field = |key: &String| super::super::super::identifier::is_plain_identifier(key);
                if !map.is_empty() && map.keys().all(is_field) && w.may(Leniency::FieldsForMap) {
                    let pairs: Vec<_> = map.iter().collect();
                    return w.fields(pairs.len(), |w, index| {
                        w.text.push_str(pairs[index].0);
                        w.colon();
                        w.integer(i128::from(*pairs[index].1), "i64");
                    });
                }
                w.open('{');
                for (index, (key, value)) in map.iter().enumerate() {
                    w.comma_before(index);
                    w.string(key);
                    w.colon();
                    w.integer(i128::from(*value), "i64");
                }
                w.close_list('}', map.len());
            }),
        }
    }

    /// The name of a variant.
    fn variant(&mut self, name: &str) {
        self.inside_variant = false;
        self.identifier(name);
    }

    /// A variant of one value.
    fn value(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.variant(name);
        self.open('(');
        self.inside_variant = self.unwrap_variants;
        write(self);
        self.inside_variant = false;
        self.close(')');
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.text.push_str("None"),
            Some(value) if self.implicit_some && self.random.one_in(2) => {
                // the extension for variants reaches through a `Some` that is not there
                write(self, value);
            }
            Some(value) if self.may(Leniency::MissingSome) => {
                self.inside_variant = false;
                write(self, value);
            }
            Some(value) => {
                self.text.push_str("Some");
                self.open('(');
                self.inside_variant = self.unwrap_variants;
                write(self, value);
                self.inside_variant = false;
                self.close(')');
            }
        }
    }

    fn newtype(&mut self, Newtype(value): Newtype) {
        let value = i128::from(value);
        if self.unwrap_newtypes || self.inside_variant || self.may(Leniency::UnwrappedNewtype) {
            self.inside_variant = false;
            return self.integer(value, "u32");
        }
        self.type_name("Newtype");
        self.open('(');
        self.integer(value, "u32");
        self.close(')');
    }

    fn inner(&mut self, Inner { a, b }: &Inner) {
        let unwrapped = std::mem::take(&mut self.inside_variant);
        let write = |w: &mut Self, index: usize| match index {
            0 => {
                w.identifier("a");
                w.colon();
                w.integer(i128::from(*a), "i32");
            }
            _ => {
                w.identifier("b");
                w.colon();
                w.option(b.as_deref(), Self::string);
            }
        };
        match unwrapped {
            true => self.unbracketed(2, write),
            false => {
                self.type_name("Inner");
                self.fields(2, write);
            }
        }
    }

    fn pair(&mut self, Pair(flag, text): &Pair) {
        if self.random.one_in(2) {
            self.text.push_str("Pair");
            if self.may(Leniency::BlankAtBracket) {
                self.text.push(' ');
            }
        }
        self.text.push('(');
        self.blank();
        self.text.push_str(&flag.to_string());
        self.comma();
        self.string(text);
        self.close(')');
    }

    fn tuple(&mut self, first: impl FnOnce(&mut Self), second: impl FnOnce(&mut Self)) {
        let unwrapped = std::mem::take(&mut self.inside_variant);
        let list = !unwrapped && self.may(Leniency::ListForTuple);
        let (open, close) = if list { ('[', ']') } else { ('(', ')') };
        if !unwrapped {
            self.open(open);
        }
        first(self);
        self.comma();
        second(self);
        if !unwrapped {
            self.close(close);
        }
    }

    fn list(&mut self, items: &[Shape]) {
        self.inside_variant = false;
        self.open('[');
        for (index, item) in items.iter().enumerate() {
            self.comma_before(index);
            self.shape(item);
        }
        self.close_list(']', items.len());
    }

    fn unit(&mut self) {
        match self.may(Leniency::BlankAtBracket) {
            true => self.text.push_str(self.random.pick(&["( )", "(/* nothing */)", "(\n)"])),
            false => self.text.push_str("()"),
        }
    }

    /// Fields in any order.
    fn fields(&mut self, count: usize, write: impl FnMut(&mut Self, usize)) {
        self.open('(');
        self.unbracketed(count, write);
        self.close(')');
    }

    fn unbracketed(&mut self, count: usize, mut write: impl FnMut(&mut Self, usize)) {
        let first = self.random.below(count);
        for index in 0..count {
            self.comma_before(index);
            write(self, (first + index) % count);
        }
    }

    fn type_name(&mut self, name: &str) {
        if self.random.one_in(2) {
            self.identifier(name);
            self.blank();
        }
    }

    fn identifier(&mut self, name: &str) {
        if self.random.one_in(8) {
            self.text.push_str("r#");
        }
        self.text.push_str(name);
    }

    fn open(&mut self, bracket: char) {
        if bracket == '(' && self.random.one_in(20) && self.text.ends_with(char::is_alphanumeric) {
            self.blank();
        }
        self.text.push(bracket);
        self.blank();
    }

    fn comma_before(&mut self, index: usize) {
        if index > 0 {
            self.comma();
        }
    }

    fn comma(&mut self) {
        self.blank();
        self.text.push(',');
        self.blank();
    }

    /// The end of something that is not empty.
    fn close(&mut self, bracket: char) {
        self.close_list(bracket, 1);
    }

    fn close_list(&mut self, bracket: char, count: usize) {
        self.blank();
        if count > 0 && self.random.one_in(4) {
            self.text.push(',');
            self.blank();
        }
        self.text.push(bracket);
    }

    fn colon(&mut self) {
        self.blank();
        self.text.push(':');
        self.blank();
    }

    fn blank(&mut self) {
        if self.random.one_in(8) && self.may(Leniency::Blanks) {
            let blank = self.random.pick(&['\u{a0}', '\u{2003}', '\u{3000}', '\u{1680}']);
            return self.text.push(blank);
        }
        let blanks = [
            " ",
            "\n",
            "\t",
            "\r\n",
            "  ",
            "// a comment\n",
            "/* a /* nested */ one */",
            "//\n",
            "/**/",
            "\u{85}",
            "\u{2028}",
            "\u{200e}",
            "\u{b}",
        ];
        if self.random.one_in(5) {
            self.text.push_str(self.random.pick(&blanks));
        }
    }

    fn integer(&mut self, value: i128, of: &str) {
        if self.may(Leniency::WholeFloat) && value.unsigned_abs() < 1 << 50 {
            let point = if self.random.one_in(2) { ".0" } else { "e0" };
            return self.text.push_str(&format!("{value}{point}"));
        }
        if of == "u8" && self.random.one_in(8) {
            let byte = value as u8;
            return self.text.push_str(&match byte {
                b'\'' | b'\\' => format!("b'\\{}'", char::from(byte)),
                b' '..=b'~' => format!("b'{}'", char::from(byte)),
                _ => format!("b'\\x{byte:02x}'"),
            });
        }
        let magnitude = value.unsigned_abs();
        self.text.push_str(match (value < 0, self.random.one_in(8)) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        });
        let digits = match self.random.below(8) {
            0 => format!("0x{magnitude:x}"),
            1 => format!("0x{magnitude:X}"),
            2 => format!("0o{magnitude:o}"),
            3 => format!("0b{magnitude:b}"),
            4 => format!("00{magnitude}"),
            _ => magnitude.to_string(),
        };
        let digits = self.underscored(
            &digits,
            usize::from(digits.starts_with("0x") || digits.starts_with("0o") || digits.starts_with("0b")) * 2,
        );
        self.text.push_str(&digits);
        if self.random.one_in(8) {
            self.text.push_str(of);
        } else if magnitude < 100 && self.may(Leniency::Suffix) {
            self.text.push_str(self.random.pick(&["i8", "i64", "i128"]));
        }
    }

    /// Underscores between digits, not before byte `from`.
    fn underscored(&mut self, digits: &str, from: usize) -> String {
        let mut text = String::new();
        for (index, digit) in digits.char_indices() {
            text.push(digit);
            let between = index >= from && digit.is_ascii_hexdigit() && (from > 0 || digit.is_ascii_digit());
            if between && self.random.one_in(12) {
                text.push_str(self.random.pick(&["_", "__"]));
            }
        }
        text
    }

    fn float(&mut self, plain: String, exponent: String, of: &str) {
        let finite = !plain.contains("inf") && !plain.contains("NaN");
        if !finite {
            self.text.push_str(&plain);
            if self.random.one_in(4) {
                self.text.push_str(of);
            }
            return;
        }
        let mut text = if self.random.one_in(2) { plain } else { exponent };
        if text.starts_with("0.") && self.random.one_in(3) {
            text.remove(0);
        } else if text.ends_with(".0") && self.random.one_in(3) {
            text.pop();
        }
        if !text.starts_with('-') && self.random.one_in(8) {
            text.insert(0, '+');
        }
        let whole = !text.contains(['.', 'e']);
        let text = self.underscored(&text, 0);
        self.text.push_str(&text);
        if self.random.one_in(8) {
            self.text.push_str(of);
        } else if self.may(Leniency::Suffix) {
            self.text.push_str(if whole {
                "i128"
            } else if of == "f32" {
                "f64"
            } else {
                "f32"
            });
        }
    }

    fn character(&mut self, value: char) {
        let escaped = match self.random.below(4) {
            0 => format!("\\u{{{:x}}}", value as u32),
            1 if value.is_ascii() => format!("\\x{:02X}", value as u32),
            _ => self.escaped(value, '\''),
        };
        self.text.push_str(&format!("'{escaped}'"));
    }

    /// Escaped only where it must be, or as RON's own short form.
    fn escaped(&mut self, value: char, quote: char) -> String {
        match value {
            '\\' => "\\\\".to_owned(),
            c if c == quote => format!("\\{c}"),
            '\n' if self.random.one_in(2) => "\\n".to_owned(),
            '\r' if self.random.one_in(2) => "\\r".to_owned(),
            '\t' if self.random.one_in(2) => "\\t".to_owned(),
            '\0' if self.random.one_in(2) => "\\0".to_owned(),
            '\'' | '"' if self.random.one_in(2) => format!("\\{value}"),
            c => c.to_string(),
        }
    }

    fn string(&mut self, value: &str) {
        if self.random.one_in(4) {
            let mut hashes = String::new();
            while value.contains(&format!("\"{hashes}")) {
                hashes.push('#');
            }
            return self.text.push_str(&format!("r{hashes}\"{value}\"{hashes}"));
        }
        self.text.push('"');
        for c in value.chars() {
            let escaped = match self.random.below(10) {
                0 => format!("\\u{{{:06X}}}", c as u32),
                1 => c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\x{byte:02x}")).collect(),
                2 if !matches!(c, ' ' | '\t' | '\n' | '\r') => format!("\\\n  \t{}", self.escaped(c, '"')),
                _ => self.escaped(c, '"'),
            };
            self.text.push_str(&escaped);
        }
        self.text.push('"');
    }

    fn bytes(&mut self, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(text) if self.random.one_in(4) && !text.contains("\"#") => {
                self.text.push_str(&format!("br#\"{text}\"#"));
            }
            _ => self.text.push_str(&format!("b\"{}\"", value.escape_ascii())),
        }
    }

    /// Whether to write what only we read.
    fn may(&mut self, leniency: Leniency) -> bool {
        let lenient = self.lenient > 0 && self.random.one_in(self.lenient);
        if lenient {
            self.used.insert(leniency);
        }
        lenient
    }
}
