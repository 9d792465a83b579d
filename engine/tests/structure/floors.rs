//! The folders of `engine/src` stand on floors: each imports only from lower ones, folders of one floor never import
//! each other, and nothing goes through the re-exports of the crate's root.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// From the ground up. A new folder needs a place here, and in ARCHITECTURE.md.
const FLOORS: [&[&str]; 8] = [
    &["base"],
    &["phase", "config", "random", "native", "nn"],
    &["data", "dist", "optim", "metric", "record", "checkpoint", "folder", "model"],
    &["run", "sinks", "weights"],
    &["hook", "readers"],
    &["board", "hooks", "loops"],
    &["trainer"],
    &["cli"],
];

#[test]
fn folders_import_only_from_lower_floors() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let macros = exported_macros(&source);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in rust_files(&source) {
        let folder = folder_of(&source, &file);
        // the root itself only re-exports
        let Some(folder) = folder else { continue };
        let Some(floor) = floor_of(&folder) else {
            wrong.push(format!("{}: the folder `{folder}` has no floor", file.display()));
            continue;
        };
        let text = std::fs::read_to_string(&file).unwrap();
        for (line, target) in imports(&text) {
            seen += 1;
            let target = macros.get(&target).unwrap_or(&target).clone();
            match floor_of(&target) {
                _ if target == folder => {}
                Some(below) if below < floor => {}
                Some(_) => wrong.push(format!("{}:{line}: `{folder}` imports `{target}`", file.display())),
                None => wrong.push(format!("{}:{line}: `crate::{target}` is no folder", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} imports found: does this test still read them?");
}

#[test]
fn every_folder_of_the_table_is_there() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for folder in FLOORS.concat() {
        assert!(source.join(folder).join("mod.rs").is_file(), "`{folder}` is in the table and not in src");
    }
}

#[test]
fn a_grouped_import_is_read_name_by_name() {
    let text =
        "use crate::{base::{Error, state::*}, hook::Context};\n// crate::cli in a comment\nlet x = crate::data::y();";
    let found: Vec<String> = imports(text).into_iter().map(|(_, target)| target).collect();
    assert_eq!(found, ["base", "hook", "data"]);
}

#[test]
fn an_exported_macro_belongs_to_the_folder_that_defines_it() {
    let macros = exported_macros(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert_eq!(macros.get("hook_set").map(String::as_str), Some("hook"));
}

/// The folders of the macros under `#[macro_export]`, whose paths all begin at the crate's root.
fn exported_macros(source: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in rust_files(source) {
        let Some(folder) = folder_of(source, &file) else { continue };
        let text = std::fs::read_to_string(&file).unwrap();
        for definition in text.split("#[macro_export]").skip(1) {
            let name = definition.split("macro_rules! ").nth(1).map(head);
            found.extend(name.map(|name| (name, folder.clone())));
        }
    }
    found
}

fn floor_of(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&folder))
}

/// The first folder below `src`; `None` for files of the root.
fn folder_of(source: &Path, file: &Path) -> Option<String> {
    let inner = file.strip_prefix(source).unwrap();
    let mut parts = inner.components();
    let first = parts.next()?.as_os_str().to_str()?.to_owned();
    parts.next().map(|_| first)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The first segment of every `crate::` path outside comments, with its line.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code: String = text.lines().map(|line| format!("{}\n", line.split("//").next().unwrap_or(""))).collect();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` in an exported macro is the caller's path
        if code[..at].ends_with(|before: char| before == '$' || before.is_alphanumeric() || before == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group).into_iter().map(|head| (line, head))),
            None => found.push((line, head(rest))),
        }
    }
    found
}

/// The first segments of `a::b, c::{d, e}}`, up to the brace that closes the group.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let name = head(group[start..at].trim_start());
                if !name.is_empty() {
                    heads.push(name);
                }
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
