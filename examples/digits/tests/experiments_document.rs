//! `docs/experiments.md`, `docs/sweeps.md` and `docs/trying.md` are followed word by word: their files are written, their commands run, their
//! output compared.
//!
//! `OVERWRITE=1` writes what the commands print into the documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_document_of_experiments_can_be_followed() {
    follow("experiments.md", (3, 5));
}

#[test]
fn the_document_of_sweeps_can_be_followed() {
    follow("sweeps.md", (3, 3));
}

#[test]
fn the_document_of_trying_can_be_followed() {
    follow("trying.md", (1, 3));
}

/// Follows a document with at least so many files and commands.
fn follow(name: &str, (least_files, least_commands): (usize, usize)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
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
                followed.push_str(&format!("{}\n{}", block[0], run(command, folder.path()).0));
                commands += 1;
            }
            // what a training comes to is not the same on every machine: the form is
            "text" => {
                let command = block[0].strip_prefix("$ digits ").expect("a command in the first line");
                let (printed, success) = run(command, folder.path());
                let rows = |text: &str| text.lines().filter(|line| !line.starts_with("trial ")).count();
                assert!(success && rows(&printed) == rows(&block[1..].join("\n")), "{printed}");
                followed.push_str(&format!("{}\n", block.join("\n")));
                commands += 1;
            }
            other => panic!("`{other}` is neither a file nor a command"),
        }
        followed.push_str("```\n");
    }
    assert!(files >= least_files && commands >= least_commands, "{files} files, {commands} commands");
    if std::env::var_os("OVERWRITE").is_some() {
        std::fs::write(&path, &followed).unwrap();
    }
    assert!(followed == document, "docs/{name} is not what was printed:\n{followed}");
}

/// What the program prints, errors included, and whether it succeeds.
fn run(command: &str, folder: &Path) -> (String, bool) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_digits"));
    let output = program.args(command.split(' ')).current_dir(folder).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    // the folder is another one in every run
    let printed = String::from_utf8(printed).unwrap().replace(&format!("{}/", folder.display()), "");
    (printed, output.status.success())
}
