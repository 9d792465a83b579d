//! Lines that differ in their numbers alone.
//!
//! A run writes the same names in the same order thousands of times. Of such a line, the text between the numbers is compared as
//! a whole, and only the numbers are read. A line that differs elsewhere is left to the reader of JSON, which reads all lines.

use super::rows::Rows;

/// How many shapes are remembered: a run has one for each loop and loader, and sometimes a few more.
const MOST: usize = 16;

/// The shapes of the lines so far.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Shape>,
    /// The numbers of the line that is read.
    numbers: Vec<Number>,
}

/// What lines have in common.
#[derive(Debug)]
struct Shape {
    /// The text before each number, and what its number is.
    parts: Vec<(Box<[u8]>, Meaning)>,
    /// The text behind the last number.
    end: Box<[u8]>,
    group: usize,
    is_train: bool,
}

/// What a number of a row is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meaning {
    Iter,
    Epoch,
    Time,
    /// A value of the series with this number.
    Value(usize),
}

/// A number as JSON writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number {
    /// NaN for `null`.
    value: f64,
    /// Bytes of its text.
    length: usize,
    /// Whether it has only digits.
    is_count: bool,
}

impl Shapes {
    /// Adds the row of a line whose shape is known. Returns whether it is; if not, nothing was added.
    pub(super) fn put(&mut self, line: &[u8], rows: &mut Rows) -> bool {
        let numbers = &mut self.numbers;
        let Some(shape) = self.known.iter().find(|shape| shape.read(line, numbers)) else { return false };
        let (mut iter, mut epoch, mut time) = (0, 0, 0.0);
        let meanings = shape.parts.iter().map(|(_, meaning)| *meaning);
        for (meaning, number) in meanings.clone().zip(numbers.iter()) {
            match meaning {
                // exact: a count has been checked to be below 2⁵³
                Meaning::Iter => iter = number.value as u64,
                Meaning::Epoch => epoch = number.value as u64,
                Meaning::Time => time = number.value,
                Meaning::Value(_) => {}
            }
        }
        let group = rows.group(shape.group);
        let Some(row) = group.row((iter, epoch, time), shape.is_train) else { return true };
        for (meaning, number) in meanings.zip(numbers.iter()) {
            if let Meaning::Value(series) = meaning {
                group.put(row, series, number.value);
            }
        }
        true
    }

    /// Remembers the shape of a line that was read as JSON and whose row is in this group.
    pub(super) fn learn(&mut self, line: &[u8], group: usize, is_train: bool, rows: &Rows) {
        if let Some(shape) = Shape::of(line, group, is_train, rows) {
            self.known.truncate(MOST - 1);
            self.known.insert(0, shape);
        }
    }
}

impl Shape {
    /// The shape of a line that is valid JSON. `None` for a line with escapes, with values within values, or with space between
    /// them, in which numbers are not so easily told from texts.
    fn of(line: &[u8], group: usize, is_train: bool, rows: &Rows) -> Option<Shape> {
        let (mut parts, mut begin, mut at, mut in_text) = (Vec::new(), 0, 0, false);
        while at < line.len() {
            match line[at] {
                b'"' => in_text = !in_text,
                b'\\' | b'[' => return None,
                b'{' if at > 0 => return None,
                b' ' | b'\t' | b'\r' if !in_text => return None,
                _ => {}
            }
            at += 1;
            let number = if !in_text && line[at - 1] == b':' { Number::read(&line[at..]) } else { None };
            if let Some(number) = number {
                let before = &line[begin..at];
                let meaning = match name(before)? {
                    "iter" => Meaning::Iter,
                    "epoch" => Meaning::Epoch,
                    "time" => Meaning::Time,
                    name => {
                        let all = rows.groups().get(group)?.series();
                        Meaning::Value(all.iter().position(|series| series.name == name)?)
                    }
                };
                parts.push((before.into(), meaning));
                at += number.length;
                begin = at;
            }
        }
        Some(Shape { parts, end: line[begin..].into(), group, is_train })
    }

    /// Reads the numbers of a line. Returns whether it has this shape.
    fn read(&self, mut line: &[u8], numbers: &mut Vec<Number>) -> bool {
        numbers.clear();
        for (before, meaning) in &self.parts {
            let Some(rest) = line.strip_prefix(&**before) else { return false };
            let Some(number) = Number::read(rest) else { return false };
            let fits = match meaning {
                Meaning::Iter | Meaning::Epoch => number.is_count && number.value < (1_u64 << 53) as f64,
                Meaning::Time => number.value.is_finite(),
                Meaning::Value(_) => true,
            };
            if !fits {
                return false;
            }
            numbers.push(number);
            line = &rest[number.length..];
        }
        *line == *self.end
    }
}

/// The name at the end of `…,"name":`.
fn name(before: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(before).ok()?.strip_suffix("\":")?;
    name.rsplit('"').next()
}

impl Number {
    /// The number, or `null`, at the begin of a text. `None` where there is neither, and for a number that is not finite.
    fn read(text: &[u8]) -> Option<Number> {
        let (mut length, mut is_count, mut last) = (0, true, 0);
        for byte in text {
            match byte {
                b'0'..=b'9' => {}
                _ if last == b'.' => return None,
                b'-' | b'+' | b'.' | b'e' | b'E' => is_count = false,
                _ => break,
            }
            (length, last) = (length + 1, *byte);
        }
        let number = &text[..length];
        // Rust reads `+1`, `01`, `.5` and `1.` too; JSON does not
        let is_json = match number.strip_prefix(b"-").unwrap_or(number) {
            [b'0', rest @ ..] => !matches!(rest, [b'0'..=b'9', ..]),
            [b'1'..=b'9', ..] => last != b'.',
            _ => return text.starts_with(b"null").then_some(Number { value: f64::NAN, length: 4, is_count: false }),
        };
        let value: f64 = std::str::from_utf8(number).ok().filter(|_| is_json)?.parse().ok()?;
        value.is_finite().then_some(Number { value, length, is_count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::line::Line;

    /// What the reader of JSON makes of lines, and what it makes of them together with shapes; and how many it had to read there.
    fn both(lines: &[impl AsRef<[u8]>]) -> (Rows, Rows, usize) {
        let (mut plain, mut rows, mut shapes, mut as_json) = (Rows::default(), Rows::default(), Shapes::default(), 0);
        for line in lines.iter().map(AsRef::as_ref) {
            if let Some(line) = Line::read(line) {
                plain.put(&line);
            }
            if shapes.put(line, &mut rows) {
                continue;
            }
            as_json += 1;
            if let Some(read) = Line::read(line)
                && let Some(group) = rows.put(&read)
            {
                shapes.learn(line, group, read.is_train(), &rows);
            }
        }
        (plain, rows, as_json)
    }

    #[test]
    fn of_lines_with_the_same_names_only_the_first_is_read_as_json() {
        let lines: Vec<String> = (1..=1000_u32)
            .flat_map(|iter| {
                let loss = if iter % 10 == 0 { "null".to_owned() } else { format!("{}", 1.0 / f64::from(iter)) };
                let train = format!(
                    r#"{{"phase":"train","epoch":{},"iter":{iter},"time":{}.5,"loss":{loss},"lr":1e-{},"note":"a:1"}}"#,
                    iter / 100,
                    iter * 2,
                    iter % 300
                );
                let val =
                    format!(r#"{{"phase":"val","loader":"hard","epoch":0,"iter":{iter},"time":1,"loss":-{iter}.25}}"#);
                [train, val]
            })
            .collect();
        let (plain, rows, as_json) = both(&lines);
        assert_eq!(as_json, 2);
        // NaN is not equal to itself
        assert_eq!(format!("{plain:?}"), format!("{rows:?}"));
        assert_eq!(rows.groups()[0].rows(), 1000);
    }

    #[test]
    fn what_does_not_fit_is_read_as_json() {
        let row = |end: &str| format!(r#"{{"phase":"train","epoch":0,"iter":5,"time":1,"loss":{end}"#);
        let odd = [
            row("1}"),
            row("+1}"),
            row("01}"),
            row("1.}"),
            row(".5}"),
            row("-}"),
            row("1e}"),
            row("1e999}"),
            row("nan}"),
            row("nullx}"),
            row("1"),
            row("1}x"),
            row("1,\"more\":2}"),
            row("\"1\"}"),
            row("[1]}"),
            row("-0}"),
            row("-0.0E+1}"),
            row(" 1}"),
            row(" 2}"),
            row("1} "),
            row("1,\"loss\":7}"),
            row("1,\"a\\\":5,\":3}"),
            row("1,\"x\":{\"y\":1}}"),
            row("1").replace("5,", "-5,"),
            row("1}").replace("5,", "5.0,"),
            row("1}").replace("5,", "18446744073709551615,"),
            row("1}").replace("5,", "9007199254740993,"),
            row("1}").replace("\"time\":1", "\"time\":null"),
            row("1}").replace("\"epoch\":0,", ""),
            String::new(),
            "{}".to_owned(),
        ];
        // each behind each: what one line teaches must not change how the other is read
        for first in &odd {
            for second in &odd {
                let (plain, rows, _) = both(&[first, second, first, second]);
                assert_eq!(format!("{plain:?}"), format!("{rows:?}"), "{first}\n{second}");
            }
        }
    }

    #[test]
    fn bytes_that_change_anywhere_are_read_the_same() {
        let line = br#"{"phase":"val","loader":"a","epoch":1,"iter":20,"time":3.5,"loss":0.25,"top5":-1e-3}"#;
        for at in 0..line.len() {
            for byte in b"09-+.eE\"\\,:{}[] nx\xff" {
                let mut changed = line.to_vec();
                changed[at] = *byte;
                let (plain, rows, _) = both(&[line.to_vec(), changed.clone(), line.to_vec(), changed.clone()]);
                assert_eq!(format!("{plain:?}"), format!("{rows:?}"), "{}", String::from_utf8_lossy(&changed));
            }
        }
    }
}
