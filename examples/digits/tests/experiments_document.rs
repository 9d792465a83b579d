//! `docs/experiments.md` is followed word by word: its files are written, its commands run, their output compared.
//!
//! `OVERWRITE=1` writes what the commands print into the document.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_document_can_be_followed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiments.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut followed = String::new();
    let mut lines = document.lines();
    let (mut files, mut commands) = (0, 0);
    while let Some(line) = lines.next() {
        followed.push_str(&format!("{line}\n"));
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "ron" => {
                let name = block[0].strip_prefix("// ").expect("a file's name in its first line");
                std::fs::write(folder.path().join(name), block.join("\n")).unwrap();
                followed.push_str(&format!("{}\n", block.join("\n")));
                files += 1;
            }
            "console" => {
                let command = block[0].strip_prefix("$ digits ").expect("a command in the first line");
                followed.push_str(&format!("{}\n{}", block[0], run(command, folder.path())));
                commands += 1;
            }
            other => panic!("`{other}` is neither a file nor a command"),
        }
        followed.push_str("```\n");
    }
    assert!(files >= 3 && commands >= 5, "{files} files, {commands} commands");
    if std::env::var_os("OVERWRITE").is_some() {
        std::fs::write(&path, &followed).unwrap();
    }
    assert!(followed == document, "docs/experiments.md is not what was printed:\n{followed}");
}

/// What the program prints, errors included.
fn run(command: &str, folder: &Path) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_digits"));
    let output = program.args(command.split(' ')).current_dir(folder).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    String::from_utf8(printed).unwrap()
}
