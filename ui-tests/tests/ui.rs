//! What must not compile, and what the compiler says then.
//!
//! A `.stderr` file holds the messages word by word, as one release of the compiler prints them; under another one
//! nothing is compared. `TRYBUILD=overwrite` writes them anew: read each as a user would.
//! What must compile is the library of this package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler whose messages the `.stderr` files hold.
const PINNED: &str = "1.95.0";

/// Names of the expansions and of what only they name, and hints that need a nightly compiler.
const INSIDES: [&str; 15] = [
    "issue #48214",
    "#![feature",
    "__engine",
    "__private",
    "trainer::parts",
    "FieldSettings<",
    "PartKind",
    "Part>",
    "Verified<",
    "Field_",
    "FITS_",
    "HAS_STEPS",
    "IS_TRAINER",
    "UNKNOWN_BATCH",
    "ConstText",
];

const MACROS: [&str; 8] = ["batch", "generic", "hook", "passes", "phases", "schedule", "trainer", "component"];

#[test]
fn mistakes_are_refused_in_these_words() {
    let running = running_toolchain();
    if running != PINNED {
        eprintln!("not compared: the messages are those of rustc {PINNED}, this is {running}");
        return;
    }
    copy_experiments();
    let cases = trybuild::TestCases::new();
    for name in MACROS {
        cases.compile_fail(format!("{name}/fail/*.rs"));
    }
}

/// Puts the experiments of cases into the package that trybuild makes of them: their paths are relative to it.
fn copy_experiments() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
    let to = target.join("tests/trybuild/ui-tests/experiments");
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
}

/// Each mistake is marked in its file by a comment that begins with `mistake:`.
#[test]
fn a_mistake_gives_one_error_and_no_second_one_follows_from_it() {
    for path in files() {
        let mistakes = read(&path).lines().filter(|line| line.trim_start().starts_with("// mistake: ")).count();
        let messages = read(&path.with_extension("stderr"));
        let errors = messages.lines().filter(|line| line.starts_with("error")).count();
        assert!(mistakes > 0, "{} marks no mistake", path.display());
        assert_eq!(errors, mistakes, "errors and mistakes of {}:\n{messages}", path.display());
    }
}

/// A hint at a nightly feature or at the macro's own insides helps nobody.
#[test]
fn messages_speak_of_what_the_user_wrote() {
    for path in files() {
        let messages = read(&path.with_extension("stderr"));
        for insides in INSIDES {
            assert!(!messages.contains(insides), "`{insides}` in the messages of {}:\n{messages}", path.display());
        }
    }
}

/// The document has a row for each message, with `…` for what the program says there.
#[test]
fn every_message_is_explained() {
    let document = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/macros.md"));
    let (_, tables) = document.split_once("\n## Messages").unwrap();
    let cells = tables.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let rows: Vec<&str> = cells.flat_map(|(messages, _)| messages.split("<br>")).collect();
    let mut unknown = Vec::new();
    for path in files() {
        for message in read(&path.with_extension("stderr")).lines().filter_map(message) {
            // what does not parse is the compiler's to tell, in its own words
            let is_syntax = path.file_stem().is_some_and(|name| name == "half_typed");
            if !is_syntax && !rows.iter().any(|row| fits(row, &message)) {
                unknown.push(format!("{}: {message}", path.display()));
            }
        }
    }
    assert!(rows.len() > 150, "{}", rows.len());
    assert!(unknown.is_empty(), "no row of docs/macros.md has these messages:\n{}", unknown.join("\n"));
}

/// A reader who meets the name of a trait can look it up.
#[test]
fn every_trait_that_a_message_names_is_explained() {
    let document = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/macros.md"));
    let (_, table) = document.split_once("\n### Traits that the compiler names").unwrap();
    let of_the_language = ["Send", "Debug", "Clone"];
    let (mut named, mut unknown) = (0, Vec::new());
    for path in files() {
        let messages = read(&path.with_extension("stderr"));
        for after in ["the trait `", "of trait `"].iter().flat_map(|before| messages.split(before).skip(1)) {
            let written = after.split(['`', '<']).next().unwrap_or_default();
            let name = written.rsplit("::").next().unwrap_or_default();
            named += 1;
            if !of_the_language.contains(&name) && !table.contains(&format!("`{name}`")) {
                unknown.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(named > 50, "{named}");
    assert!(unknown.is_empty(), "docs/macros.md does not say which types have these traits:\n{}", unknown.join("\n"));
}

/// Mistakes that are refused, and uses that compile, each marked in its file.
#[test]
fn there_are_three_hundred_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let marks = |path: &Path, mark: &str| read(path).lines().filter(|line| line.trim_start().starts_with(mark)).count();
    let refused: usize = files().iter().map(|path| marks(path, "// mistake: ")).sum();
    let mut compiled = marks(&root.join("renamed/src/lib.rs"), "// case: ");
    for name in MACROS {
        for entry in fs::read_dir(root.join(name).join("pass")).unwrap() {
            compiled += marks(&entry.unwrap().path(), "// case: ");
        }
    }
    assert!(refused >= 300 && compiled >= 50, "{refused} are refused, {compiled} compile");
}

/// The message of a line that begins an error.
fn message(line: &str) -> Option<String> {
    let rest = line.strip_prefix("error")?;
    let (_, message) = rest.split_once(": ")?;
    Some(message.strip_prefix("evaluation panicked: ").unwrap_or(message).to_owned())
}

/// Whether a text is a row, whose `…` stand for anything.
fn fits(row: &str, text: &str) -> bool {
    let mut parts = row.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        match parts.peek() {
            None => return rest.len() >= part.len() && rest.ends_with(part),
            Some(_) => match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            },
        }
    }
    true
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = MACROS.iter().flat_map(|name| fs::read_dir(root.join(name).join("fail")).unwrap());
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `1.95.0` of `rustc 1.95.0 (…)`.
fn running_toolchain() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    version.split(' ').nth(1).unwrap_or_default().to_owned()
}
