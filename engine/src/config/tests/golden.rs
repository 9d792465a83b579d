//! How mistakes are shown: every case of the files in `golden`, letter by letter.
//!
//! A case is a line `## what is shown` and its parts, each under a line `--- part`: files, the first of which is read,
//! values of the command line (`--- --set lr=1`), and at last `--- mistakes`. A word after a file's name says what is
//! odd about it, see [`write`]. `OVERWRITE=1 cargo test -p engine --lib golden` writes what is shown now.

use super::super::load_with;
use super::*;
use std::collections::BTreeSet;
use std::path::Path;

const TOPICS: [&str; 9] = ["bases", "env", "files", "names", "parts", "references", "set", "syntax", "values"];

/// `low` is at most `high`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Bounds", rename = "Ordered")]
struct Ordered {}

#[derive(Debug, Deserialize)]
#[serde(rename = "Ordered")]
struct Bounds {
    low: u32,
    high: u32,
}

impl TryFrom<Bounds> for Ordered {
    type Error = String;

    fn try_from(Bounds { low, high }: Bounds) -> Result<Self, String> {
        match low <= high {
            true => Ok(Ordered {}),
            false => Err(format!("`low` ({low}) is above `high` ({high})")),
        }
    }
}

struct Case {
    what: String,
    /// Headers with their texts.
    parts: Vec<(String, String)>,
    mistakes: String,
}

#[test]
fn every_mistake_is_shown_as_in_its_golden_file() {
    let mut different = String::new();
    for topic in TOPICS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/config/tests/golden/{topic}.txt"));
        let mut cases = cases(&std::fs::read_to_string(&path).unwrap());
        for case in &mut cases {
            let found = mistakes(case);
            if found != case.mistakes {
                different += &format!("{topic}: {}\nfound:\n{found}\nexpected:\n{}\n\n", case.what, case.mistakes);
                case.mistakes = found;
            }
        }
        if std::env::var_os("OVERWRITE").is_some() {
            std::fs::write(path, text(&cases)).unwrap();
        }
    }
    assert!(different.is_empty(), "\n{different}");
}

#[test]
fn no_two_golden_cases_show_the_same() {
    let mut messages = BTreeSet::new();
    for topic in TOPICS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/config/tests/golden/{topic}.txt"));
        for case in cases(&std::fs::read_to_string(&path).unwrap()) {
            assert!(messages.insert(case.mistakes), "{topic}: {}", case.what);
        }
    }
    assert!(messages.len() >= 150, "only {} cases", messages.len());
}

/// What is shown of a case, without the name of the folder.
fn mistakes(case: &Case) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = |header: &str| header.split(' ').next().map(|name| folder.path().join(name)).unwrap();
    for (header, text) in case.parts.iter().filter(|(header, _)| !header.starts_with("--set ")) {
        write(&file(header), header.split(' ').nth(1).unwrap_or_default(), text);
    }
    let sets: Vec<&str> = case.parts.iter().filter_map(|(header, _)| header.strip_prefix("--set ")).collect();
    let read = load_with(&file(&case.parts[0].0), &sets).and_then(|document| match document.root.name() {
        Some("Ordered") => document.read::<Ordered>().map(drop),
        _ => document.read::<Experiment>().map(drop),
    });
    let shown = read.map_or_else(|errors| errors.to_string(), |()| "none".to_owned());
    shown.replace(&format!("{}/", folder.path().display()), "")
}

/// Writes a file; `how` is what is odd about it.
fn write(path: &Path, how: &str, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    match how {
        "" => std::fs::write(path, text).unwrap(),
        "crlf" => std::fs::write(path, text.replace('\n', "\r\n")).unwrap(),
        "latin1" => std::fs::write(path, text.chars().map(|c| c as u8).collect::<Vec<_>>()).unwrap(),
        "large" => std::fs::write(path, text.to_owned() + &" ".repeat(1 << 20)).unwrap(),
        "nested" => std::fs::write(path, "[".repeat(200)).unwrap(),
        "folder" => std::fs::create_dir(path).unwrap(),
        "absent" => {}
        _ => panic!("what is {how}?"),
    }
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for case in format!("\n{text}").split("\n## ").skip(1) {
        let mut parts = case.split("\n--- ");
        let what = parts.next().unwrap().to_owned();
        let part = |part: &str| match part.split_once('\n') {
            Some((header, text)) => (header.to_owned(), text.to_owned()),
            None => (part.to_owned(), String::new()),
        };
        let mut parts: Vec<(String, String)> = parts.map(part).collect();
        let (last, mistakes) = parts.pop().unwrap();
        assert_eq!(last, "mistakes", "{what}");
        cases.push(Case { what, parts, mistakes: mistakes.trim_end().to_owned() });
    }
    cases
}

fn text(cases: &[Case]) -> String {
    let part = |(header, text): &(String, String)| match text.is_empty() {
        true => format!("--- {header}\n"),
        false => format!("--- {header}\n{text}\n"),
    };
    let case = |case: &Case| {
        let parts: String = case.parts.iter().map(part).collect();
        format!("## {}\n{parts}--- mistakes\n{}\n", case.what, case.mistakes)
    };
    cases.iter().map(case).collect::<Vec<_>>().join("\n")
}
