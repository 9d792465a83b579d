//! Agreement with the `ron` crate on generated values and texts.

use super::super::super::{Document, parse_text};
use super::leniencies::{ALL, GaveUp, Leniency, explain};
use super::random::Random;
use super::shapes::Shape;
use super::writer::Writer;
use std::collections::BTreeMap;

/// What we make of a text.
fn ours(text: &str) -> Result<(Document, String), String> {
    let document = parse_text("test.ron", text).map_err(|errors| errors.short().join("\n"))?;
    let value: Shape = document.read().map_err(|errors| errors.short().join("\n"))?;
    let shown = format!("{value:?}");
    Ok((document, shown))
}

/// What the `ron` crate makes of a text.
fn theirs(text: &str) -> Result<String, String> {
    ron::from_str::<Shape>(text).map(|value| format!("{value:?}")).map_err(|error| error.to_string())
}

/// As [`theirs`], with the place where it gave up.
fn theirs_until(text: &str) -> Result<String, GaveUp> {
    ron::from_str::<Shape>(text).map(|value| format!("{value:?}")).map_err(|error| {
        let end = error.span.end;
        let lines: usize = text.split_inclusive('\n').take(end.line - 1).map(str::len).sum();
        let line: usize = text[lines..].chars().take(end.col - 1).map(char::len_utf8).sum();
        let read = lines + line;
        GaveUp { read, left: text[read..].bytes().filter(|byte| !b")]}".contains(byte)).count() }
    })
}

fn written(seed: u64, lenient: usize) -> (String, String, Vec<Leniency>) {
    let mut random = Random::new(seed);
    let shape = Shape::any(&mut random, 3);
    let mut writer = Writer::new(&mut random, lenient);
    writer.document(&shape);
    (format!("{shape:?}"), writer.text, writer.used.into_iter().collect())
}

#[test]
fn whatever_way_a_value_is_written_both_read_it() {
    for seed in 0..6_000 {
        let (value, text, _) = written(seed, 0);
        assert_eq!(theirs(&text).as_ref(), Ok(&value), "seed {seed}, the writer is wrong:\n{text}");
        let read = ours(&text).map(|(_, value)| value);
        assert_eq!(read.as_ref(), Ok(&value), "seed {seed}:\n{text}");
    }
}

#[test]
fn every_leniency_is_read_and_is_one() {
    let mut refused: BTreeMap<Leniency, usize> = BTreeMap::new();
    for seed in 10_000..14_000 {
        let (value, text, used) = written(seed, 12);
        let read = ours(&text).map(|(_, value)| value);
        assert_eq!(read.as_ref(), Ok(&value), "seed {seed}, {used:?}:\n{text}");
        match (theirs(&text), used.as_slice()) {
            (Ok(theirs), _) => assert_eq!(theirs, value, "seed {seed}, {used:?}:\n{text}"),
            (Err(_), [alone]) => *refused.entry(*alone).or_default() += 1,
            (Err(error), []) => panic!("seed {seed}, the writer is wrong: {error:?}\n{text}"),
            _ => {}
        }
    }
    // the others are never written, see `mutated_texts_are_read_alike_or_leniently`
    let unwritten = [Leniency::QuotedVariant, Leniency::RawOption];
    let never: Vec<_> = ALL.iter().filter(|known| !unwritten.contains(known) && !refused.contains_key(known)).collect();
    assert!(never.is_empty(), "{never:?} of {refused:?}");
}

#[test]
fn mutated_texts_are_read_alike_or_leniently() {
    let (mut alike, mut lenient, mut refused) = (0, BTreeMap::<Leniency, usize>::new(), 0);
    for seed in 20_000..32_000 {
        let mut random = Random::new(seed);
        let (_, text, _) = written(seed, if seed % 4 == 0 { 12 } else { 0 });
        let text = mutated(&mut random, &text);
        match (theirs(&text), ours(&text)) {
            (Ok(theirs), Ok((_, ours))) => {
                assert_eq!(ours, theirs, "seed {seed}:\n{text}");
                alike += 1;
            }
            (Ok(theirs), Err(why)) => {
                let strict = why.contains("unknown field") || why.contains("is given twice");
                assert!(strict, "seed {seed}: {theirs}, but we say {why}\n{text}");
            }
            (Err(why), Ok((document, value))) => {
                let Some(used) = explain(&text, &document.root, &value, &theirs_until) else {
                    panic!("seed {seed}: we read {value}, the `ron` crate says {why}\n{text}");
                };
                used.into_iter().for_each(|used| *lenient.entry(used).or_default() += 1);
            }
            (Err(_), Err(_)) => refused += 1,
        }
    }
    assert!(alike > 2_000 && refused > 2_000, "{alike} alike, {refused} refused, {lenient:?}");
    assert_eq!(lenient.len(), ALL.len(), "{lenient:?}");
}

/// One to three changes of a text.
fn mutated(random: &mut Random, text: &str) -> String {
    const PIECES: [&str; 42] = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "'",
        "\\",
        "#",
        "r#",
        "br\"",
        "/*",
        "*/",
        "//",
        "é",
        "\u{1F600}",
        "-",
        "+",
        "_",
        ".",
        "0x",
        "1e",
        "e5",
        "b'",
        "Some(",
        "None",
        "r#Some(",
        "r#None",
        "()",
        "Unit",
        "Inner",
        "Newtype(",
        "true",
        "inf",
        "u8",
        "f32",
        " ",
        "\n",
        "7",
    ];
    let mut text = text.to_owned();
    for _ in 0..1 + random.below(3) {
        match random.below(12) {
            0..=3 => random.change(&mut text, 6, |random| random.pick(&PIECES).to_owned()),
            // brackets of another kind, on both sides where there are both
            4 => text = swapped(&text, random.pick(&[("(", "["), ("[", "("), ("{", "[")]), random),
            5 if random.one_in(3) => text = text.replacen("None", "r#None", 1),
            5 => text = text.replacen(random.pick(&["Some(", "Newtype", "Inner", "r#", "None", "Bare"]), "", 1),
            6 => text = text.replacen(random.pick(&["Unit", "Bare"]), "\"Unit\"", 1),
            7 => text = text.replacen("((", "(", 1).replacen("))", ")", 1),
            8 => text = text.replacen("{}", "()", 1),
            // one token left out, doubled or replaced
            _ => {
                let tokens: Vec<usize> = text.match_indices(|c| "()[]{},,,,:".contains(c)).map(|(at, _)| at).collect();
                if !tokens.is_empty() {
                    let at = random.pick(&tokens);
                    let twice = text[at..=at].repeat(2);
                    text.replace_range(at..=at, random.pick(&["", " ", "/**/", ";", "=", ".", "|", twice.as_str()]));
                }
            }
        }
    }
    text
}

fn swapped(text: &str, (from, to): (&str, &str), random: &mut Random) -> String {
    let close = |open: &str| match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    let opened: Vec<usize> = text.match_indices(from).map(|(at, _)| at).collect();
    if opened.is_empty() {
        return text.to_owned();
    }
    let open = random.pick(&opened);
    let mut text = text.to_owned();
    text.replace_range(open..open + 1, to);
    if let Some(end) = text[open..].find(close(from)) {
        text.replace_range(open + end..open + end + 1, close(to));
    }
    text
}
