//! Agreement with the `ron` crate: what it reads, we read with the same meaning.

use super::super::{parse_text, print, to_node};
use super::*;
use serde::de::DeserializeOwned;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    a: i32,
}
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u32);
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OfInner(Inner);
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u32, String);
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Variants {
    Constant,
    Number(u32),
    Named { power: f64 },
    Two(u32, u32),
    Of(Inner),
    Optional(Option<u32>),
    List(Vec<u32>),
    Tuple((u32, u32)),
}
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
    Inner(Inner),
    List(Vec<u32>),
}

/// What a reader makes of a text.
type Read = Result<String, String>;

fn both<T: DeserializeOwned + Debug>(text: &str) -> (Read, Read) {
    let shown = |value: T| format!("{value:?}");
    let theirs = ron::from_str::<T>(text).map(shown).map_err(|error| error.to_string());
    let ours = parse_text("test.ron", text).and_then(|document| document.read::<T>());
    (theirs, ours.map(shown).map_err(|errors| errors.short().join("\n")))
}

/// Both read it alike, or both refuse it.
fn agree<T: DeserializeOwned + Debug>(texts: &[&str], different: &mut Vec<String>) {
    for text in texts {
        let (theirs, ours) = both::<T>(text);
        let agreed = match (&theirs, &ours) {
            (Ok(theirs), Ok(ours)) => theirs == ours,
            (theirs, ours) => theirs.is_err() && ours.is_err(),
        };
        if !agreed {
            different.push(format!("{} {text:?}: {theirs:?} and {ours:?}", std::any::type_name::<T>()));
        }
    }
}

#[test]
fn the_ron_crate_and_we_read_and_refuse_the_same() {
    let mut different = Vec::new();
    agree::<f64>(
        &[
            "1",
            "1.",
            ".5",
            "-1e-3",
            "+2.5E+3",
            "1_000.5",
            "inf",
            "-inf",
            "+inf",
            "NaN",
            "1f64",
            "-2.5f64",
            "1e-0_1",
            "1e_-3",
            "-0",
            "-0_0",
            "-0.0",
            "1..",
            "--1",
            "1e",
            "_1",
            "1._5",
            "-_1",
            "e5",
            "1e5e5",
            "infx",
            ".",
            "-",
            "1.0f16",
            "\"1\"",
            "true",
            "123456789012345678901234567890123456789012",
        ],
        &mut different,
    );
    agree::<f32>(&["0.1", "1e-45", "3.4028235e38", "16777217", "0.1f32"], &mut different);
    agree::<i64>(
        &[
            "0xFF",
            "-0x1f",
            "0b1010",
            "0o17",
            "1_000",
            "1__0",
            "1i64",
            "-5",
            "+5",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "0x",
            "0x_1",
            "0b2",
            "0o8",
            "0xfg",
            "1.5",
            "1i9",
            "9i8x",
            "- 5",
            "0x7fff_ffff_i64",
        ],
        &mut different,
    );
    agree::<u8>(
        &[
            "255",
            "256",
            "-1",
            "b'a'",
            "b'\\n'",
            "b'\\x41'",
            "b'\\''",
            "b'é'",
            "b''",
            "b'ab'",
            "0b11111111",
            "255u8",
            "256u8",
        ],
        &mut different,
    );
    agree::<String>(
        &[
            r#""a\n\t\\\"\'\u{1F600}\x41""#,
            "r\"a\\b\"",
            "r#\"a\"b\"#",
            "r##\"x\"#y\"##",
            "\"multi\nline\"",
            "\"a\\\n   b\"",
            "\"a\\\r\n\t b\"",
            "\"\"",
            r#""\xC3\xA9""#,
            r#""\xC3""#,
            "\"unclosed",
            "r#\"unclosed\"",
            "'c'",
            "ident",
            r#""\q""#,
            r#""\u{110000}""#,
            r#""\u{}""#,
            r#""\u41""#,
            r#""\x4""#,
            "\"a\" \"b\"",
            "\"a\" // end",
            "/* x */ \"a\"",
            "\"/* no */\"",
        ],
        &mut different,
    );
    agree::<char>(
        &["'x'", "'\\''", "'''", "'\\n'", "'é'", "'\\u{41}'", "'\\x41'", "'\\xff'", "'\"'", "'ab'", "''", "'", "'\\'"],
        &mut different,
    );
    agree::<bool>(&["true", "false", " true ", "True", "truefalse", "true false", "1", "\"true\""], &mut different);
    agree::<()>(&["()", "[]", "(())", ""], &mut different);
    agree::<Option<u32>>(
        &["Some(1)", "None", "Some( 1 )", "Some(1,)", "Some()", "Some", "Some(1, 2)", "none"],
        &mut different,
    );
    agree::<Option<Option<u32>>>(&["Some(Some(1))", "Some(None)", "None"], &mut different);
    agree::<Vec<u32>>(
        &[
            "[1,2,]",
            "[]",
            "[ ]",
            "[,]",
            "[1 2]",
            "(1,2)",
            "[1,/* a /* nested */ */2]",
            "[1, // c\n 2]",
            "[1",
            "[1,,2]",
            "[1;2]",
            "[1]]",
            "/* open [1]",
            "[1] /",
            "\u{200e}[1]",
        ],
        &mut different,
    );
    agree::<(u32, f32)>(&["(1, 2.5)", "(1,2.5,)", "(1)", "(1,2,3)", "X(1,2.5)"], &mut different);
    agree::<[u32; 2]>(&["(1,2)", "(1,2,3)"], &mut different);
    agree::<BTreeMap<String, u32>>(
        &[r#"{"a": 1, "b": 2}"#, "{}", "{,}", "{a: 1}", r#"{"a" 1}"#, r#"{"a": 1,}"#, r#"{"a": 1 "b": 2}"#],
        &mut different,
    );
    agree::<BTreeMap<(u32, u32), Newtype>>(&["{(1,2): (3), (2,3): Newtype(4)}"], &mut different);
    agree::<BTreeMap<char, Option<Newtype>>>(&["{'a': Some(Newtype(3)), 'b': None}"], &mut different);
    agree::<Inner>(
        &[
            "(a: 1)",
            "Inner(a: 1)",
            "Inner (a : 1 , )",
            "Inner/**/(a/**/:1)",
            "Wrong(a: 1)",
            "(b: 1)",
            "()",
            "(a: 1, a: 2)",
            "(r#a: 1)",
            "(a 1)",
            "(a: 1",
            "(a: 1))",
            "(a: 1) x",
            "(1)",
            "(a:)",
            "(: 1)",
            "(a: 1,,)",
            "{\"a\": 1}",
            "#![enable(implicit_some)]\n(a: 1)",
            "#![enable(unwrap_newtypes, implicit_some,)] (a: 1) // end",
            "# ! [ enable ( implicit_some ) ] #![enable(unwrap_variant_newtypes)] (a: 1)",
            "#![type = \"Inner\"] (a: 1)",
            "#![enable(magic)] (a: 1)",
            "#![disable(x)] (a: 1)",
            "#![enable(implicit_some) (a: 1)",
            "#",
        ],
        &mut different,
    );
    agree::<Inner>(&["#![type = r\"Inner\"] (a: 1)", "#![type = 3] (a: 1)"], &mut different);
    agree::<Option<Inner>>(
        &["#![enable(unwrap_variant_newtypes)] Some(a: 1)", "#![enable(unwrap_variant_newtypes)] Some(b: 1)"],
        &mut different,
    );
    agree::<u128>(&["1u128", "0xFFu128", "-1u128", "-1"], &mut different);
    agree::<Newtype>(&["Newtype(7)", "(7)", "Newtype(7,)", "Wrong(7)", "Newtype()", "Newtype(7, 8)"], &mut different);
    agree::<OfInner>(&["OfInner(Inner(a: 1))", "OfInner((a: 1))", "((a: 1))"], &mut different);
    agree::<Pair>(&["Pair(1, \"x\")", "(1, \"x\",)", "Pair(1)", "Pair(1, \"x\", 2)"], &mut different);
    agree::<Unit>(&["Unit", "()", "Other"], &mut different);
    agree::<Variants>(
        &[
            "Constant",
            "Number(5)",
            "Number (5,)",
            "Named(power: 2)",
            "Two(1, 2)",
            "Two(1)",
            "Of((a: 1))",
            "Of(Inner(a: 1))",
            "Optional(Some(3))",
            "Optional(None)",
            "List([1,2])",
            "Tuple((1,2))",
            "Nope",
            "Number",
            "Constant(1)",
            "Number(a: 1)",
            "Named",
            "3",
        ],
        &mut different,
    );
    agree::<Untagged>(&["1", "\"s\"", "(a: 1)", "[1,2]", "1.5", "true"], &mut different);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What we read and the `ron` crate, with its extensions off, doesn't; the value is what we read.
fn lenient<T: DeserializeOwned + Debug + PartialEq>(texts: &[(&str, T)]) {
    for (text, value) in texts {
        let (theirs, ours) = both::<T>(text);
        assert_eq!(ours, Ok(format!("{value:?}")), "{text}");
        assert!(theirs.is_err(), "{text} is no leniency: {theirs:?}");
    }
}

#[test]
fn keys_that_a_map_has_twice_are_refused() {
    let (theirs, ours) = both::<BTreeMap<String, u32>>(r#"{"a": 1, "a": 2}"#);
    // the first value would be lost without a word
    assert_eq!(theirs.as_deref(), Ok("{\"a\": 2}"));
    assert_eq!(ours.unwrap_err(), "test.ron:1:10: key `\"a\"` is given twice");
}

/// Those that generated texts use, each alone, stand in `generated/leniencies.rs`.
#[test]
fn the_leniencies_are_these() {
    lenient::<i64>(&[("1e6", 1_000_000), ("2.0", 2), ("1u8", 1)]);
    lenient::<f64>(&[("1.0f32", 1.0)]);
    lenient::<()>(&[("( )", ()), ("(/* c */)", ())]);
    lenient::<Option<u32>>(&[("7", Some(7))]);
    lenient::<Option<Option<u32>>>(&[("7", Some(Some(7)))]);
    lenient::<Newtype>(&[("7", Newtype(7))]);
    lenient::<OfInner>(&[("(a: 1)", OfInner(Inner { a: 1 })), ("OfInner(a: 1)", OfInner(Inner { a: 1 }))]);
    lenient::<(u32, u32)>(&[("[1, 2]", (1, 2))]);
    lenient::<Variants>(&[("Of(a: 1)", Variants::Of(Inner { a: 1 })), ("\"Constant\"", Variants::Constant)]);
    lenient::<String>(&[("\u{feff}\"x\"", "x".to_owned())]);
}

#[test]
fn the_ron_crate_reads_what_we_print() {
    let variants = vec![
        Variants::Constant,
        Variants::Number(1),
        Variants::Named { power: 0.1 },
        Variants::Two(1, 2),
        Variants::Of(Inner { a: -1 }),
        Variants::List(vec![1]),
        Variants::Tuple((1, 2)),
    ];
    assert_eq!(ron::from_str::<Vec<Variants>>(&print(&to_node(&variants).unwrap())), Ok(variants));
    let texts = vec!["é \"q\" \\ \n\0\u{7f}".to_owned(), String::new()];
    assert_eq!(ron::from_str::<Vec<String>>(&print(&to_node(&texts).unwrap())), Ok(texts));
}
