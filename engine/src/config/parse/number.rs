//! Numbers: decimal, `0x`, `0o`, `0b`, floats, `inf` and `NaN`, underscores and type suffixes.

use super::super::diagnostic::Diagnostic;
use super::super::tree::Kind;
use super::cursor::{Parsed, Parser};

impl Parser<'_> {
    /// A number that begins with a digit, a sign or a point.
    pub(super) fn number(&mut self) -> Parsed<Kind> {
        let start = self.at;
        let negative = self.peek() == Some('-');
        if matches!(self.peek(), Some('+' | '-')) {
            self.next();
        }
        let digits = self.at;
        self.skip_digits();
        let text = self.since(digits);
        let number = match text.strip_suffix("f32").or(text.strip_suffix("f64")).unwrap_or(text) {
            "inf" => Some(Kind::Float(f64::INFINITY)),
            "NaN" => Some(Kind::Float(f64::NAN)),
            _ => unsigned(text, negative),
        };
        match number {
            Some(Kind::Float(float)) => Ok(Kind::Float(if negative { -float } else { float })),
            // no integer has this sign, but a float that is wanted has
            Some(Kind::Int(0)) if negative => Ok(Kind::Float(-0.0)),
            Some(kind) => Ok(kind),
            None => {
                let shown = self.since(start);
                let message = match beyond_suffix(text, negative) {
                    Some(Integer { name, min, max }) => {
                        format!("`{shown}` does not fit `{name}`, expected {min} to {max}")
                    }
                    None => format!("`{shown}` is not a number"),
                };
                let mistake = Diagnostic::new(self.span_since(start), message);
                let path = matches!(text, "." | "..") && self.peek().is_some_and(|next| next == '/');
                Err(Box::new(if path { mistake.help("a path is written in quotes: `\"./runs\"`") } else { mistake }))
            }
        }
    }

    /// All that can belong to a number, so that the message shows all of a wrong one.
    fn skip_digits(&mut self) {
        let rest = self.rest();
        let decimal = !(rest.starts_with("0x") || rest.starts_with("0b") || rest.starts_with("0o"));
        let mut previous = ' ';
        for c in rest.chars() {
            let exponent_sign = decimal && matches!(c, '+' | '-') && matches!(previous, 'e' | 'E');
            if !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.') || exponent_sign) {
                break;
            }
            self.at += c.len_utf8();
            if c != '_' {
                previous = c;
            }
        }
    }
}

/// The digits without what says their base, and the base.
fn base(text: &str) -> (&str, u32) {
    match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        Some("0b") => (&text[2..], 2),
        _ => (text, 10),
    }
}

/// An integer with a type suffix, with its sign, and the type.
fn suffixed(text: &str, negative: bool) -> Option<(i128, &'static Integer)> {
    let (digits, radix) = base(text);
    let suffix = INTEGERS.iter().find(|suffix| digits.ends_with(suffix.name))?;
    Some((integer(&digits[..digits.len() - suffix.name.len()], radix, negative)?, suffix))
}

/// The type that an integer says it is of and does not fit.
fn beyond_suffix(text: &str, negative: bool) -> Option<&'static Integer> {
    suffixed(text, negative).filter(|(value, suffix)| !suffix.holds(*value)).map(|(_, suffix)| suffix)
}

/// An integer with its sign, or a float without.
fn unsigned(text: &str, negative: bool) -> Option<Kind> {
    if let Some((value, suffix)) = suffixed(text, negative) {
        return suffix.holds(value).then_some(Kind::Int(value));
    }
    let (digits, radix) = base(text);
    match integer(digits, radix, negative) {
        Some(value) => Some(Kind::Int(value)),
        // beyond 128 bits it can still be a float
        None if radix == 10 => float(digits).map(Kind::Float),
        None => None,
    }
}

fn integer(digits: &str, radix: u32, negative: bool) -> Option<i128> {
    if digits.starts_with('_') || !digits.chars().all(|c| c == '_' || c.is_digit(radix)) {
        return None;
    }
    // with its sign, because the least number has no positive counterpart
    let sign = if negative { "-" } else { "" };
    let signed: String = sign.chars().chain(digits.chars().filter(|c| *c != '_')).collect();
    i128::from_str_radix(&signed, radix).ok()
}

fn float(digits: &str) -> Option<f64> {
    let digits = digits.strip_suffix("f32").or(digits.strip_suffix("f64")).unwrap_or(digits);
    let misplaced = digits.starts_with('_') || digits.contains("._");
    if misplaced || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    digits.replace('_', "").parse().ok()
}

struct Integer {
    name: &'static str,
    min: i128,
    max: i128,
}

impl Integer {
    fn holds(&self, value: i128) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

macro_rules! integers {
    ($($type:ident)*) => {
        [$(Integer { name: stringify!($type), min: $type::MIN as i128, max: $type::MAX as i128 }),*]
    };
}

/// What `u128` has beyond `i128` is not read.
const INTEGERS: [Integer; 10] = {
    let [a, b, c, d, e, f, g, h, i] = integers!(i8 i16 i32 i64 i128 u8 u16 u32 u64);
    [a, b, c, d, e, f, g, h, i, Integer { name: "u128", min: 0, max: i128::MAX }]
};
