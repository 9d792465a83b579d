//! Experiments that are put together from files, and what is taken from the environment.

use super::super::{Document, Over, load_over, load_with, print_line};
use super::*;
use std::path::Path;
use tempfile::TempDir;

/// The files of one test, and the folder that they lie in.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn layered(folder: &TempDir, sets: &[&str]) -> Document {
    load_with(&folder.path().join("exp.ron"), sets).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What the value at a path is, in one line.
fn at(document: &Document, path: &str) -> String {
    let value = document.root.find(path).unwrap_or_else(|| panic!("nothing at {path} in\n{}", document.show()));
    print_line(value)
}

const EXPERIMENT: &str =
    r#"(name: "x", optimizer: Include("parts/adamw.ron"), custom_hooks: [Include("parts/hook.ron"), Timer])"#;

#[test]
fn a_file_holds_a_value_that_layers_change_and_whose_paths_are_its_own() {
    let folder = folder(&[
        ("exp.ron", r#"(base: "base.ron", optimizer: (lr: 0.5))"#),
        ("base.ron", EXPERIMENT),
        ("parts/adamw.ron", "AdamW(lr: 0.1, weight_decay: 0.2)"),
        ("parts/hook.ron", "Dump(folders: [\"logs\"], log: None)"),
    ]);
    let document = layered(&folder, &["custom_hooks.Dump.log=last"]);
    assert_eq!(at(&document, "optimizer"), "AdamW(lr: 0.5, weight_decay: 0.2)");
    let read: Experiment = document.read().unwrap();
    let hook = format!("{:?}", read.custom_hooks[0]);
    assert!(hook.contains(&format!("folders: [{:?}]", folder.path().join("parts/logs"))), "{hook}");
    // `show` names the file that wrote the value
    let shown = document.show().replace(&format!("{}/", folder.path().display()), "");
    assert!(shown.contains("weight_decay: 0.2,  // parts/adamw.ron:1:30"), "{shown}");
}

#[test]
fn a_part_can_have_parts_and_a_base() {
    let folder = folder(&[
        ("exp.ron", r#"(name: "x", optimizer: Sgd(lr: 1, momentum: 0), teacher: Include("a/teacher.ron"))"#),
        ("a/teacher.ron", r#"Checkpoint(base: "checkpoint.ron", then: Append([Include("clip.ron")]))"#),
        ("a/checkpoint.ron", "Checkpoint(interval: 4, then: [Timer])"),
        ("a/clip.ron", "Clip(Ref(\"optimizer.lr\"))"),
    ]);
    assert_eq!(at(&layered(&folder, &[]), "teacher"), "Checkpoint(interval: 4, then: [Timer, Clip(1)])");
}

#[test]
fn files_of_the_command_line_stand_over_each_other_and_a_part_over_a_value() {
    let folder = folder(&[
        ("a.ron", r#"Experiment(name: "a", seed: 1, optimizer: AdamW(lr: 1), custom_hooks: [Timer])"#),
        ("b.ron", r#"(base: "c.ron", optimizer: (lr: 2), custom_hooks: Append([Clip(1)]))"#),
        ("c.ron", r#"(seed: 3, optimizer: (weight_decay: 4))"#),
        ("part.ron", "(lr: 5, betas: (0.5, 0.5))"),
    ]);
    let path = |name: &str| folder.path().join(name);
    let part = format!("optimizer={}", path("part.ron").display());
    let over = Over { with: vec![part], sets: vec!["optimizer.weight_decay=6".into()], ..Over::default() };
    let files = [path("a.ron"), path("b.ron")];
    let document = load_over(&files, &Over::default()).unwrap();
    assert_eq!(at(&document, "optimizer"), "AdamW(lr: 2, weight_decay: 4)");
    assert_eq!((at(&document, "seed"), at(&document, "custom_hooks")), ("3".into(), "[Timer, Clip(1)]".into()));
    let document = load_over(&files, &over).unwrap();
    assert_eq!(at(&document, "optimizer"), "AdamW(lr: 5, weight_decay: 6, betas: (0.5, 0.5))");

    let wrong = |with: &str| {
        let over = Over { with: vec![with.to_owned()], ..Over::default() };
        load_over(&files, &over).unwrap_err().to_string()
    };
    assert!(wrong("optimizer").contains("expected `path=file`"), "{}", wrong("optimizer"));
    let absent = wrong(&format!("optimizer={}", path("prt.ron").display()));
    assert!(absent.contains("can't read") && absent.contains("did you mean"), "{absent}");
    let nowhere = wrong(&format!("seed.x={}", path("part.ron").display()));
    assert!(nowhere.contains("there is no `x` in integer `3`") && nowhere.contains("--with:1:6"), "{nowhere}");
}

#[test]
fn the_folder_of_a_run_can_be_a_base() {
    let folder = folder(&[
        ("runs/first/experiment.ron", r#"Experiment(name: "first", optimizer: Sgd(lr: 1, momentum: 0), seed: 7)"#),
        ("exp.ron", r#"(base: "runs/first", name: "second")"#),
    ]);
    let read: Experiment = layered(&folder, &[]).read().unwrap();
    assert_eq!((read.name.as_str(), read.seed), ("second", 7));
    let alone = load_over(&[folder.path().join("runs/first")], &Over::default()).unwrap();
    assert_eq!(at(&alone, "name"), "\"first\"");
}

#[test]
fn default_takes_back_what_earlier_layers_say() {
    let folder = folder(&[
        (
            "base.ron",
            r#"(name: "x", seed: 3, optimizer: AdamW(lr: 1, weight_decay: 2, schedule: Linear(3)), tags: {"a": "b", "c": "d"}, teacher: Ema(decay: 0.5))"#,
        ),
        ("middle.ron", r#"(base: "base.ron", seed: Default, optimizer: (weight_decay: Default), teacher: Default)"#),
        ("exp.ron", r#"(base: "middle.ron", tags: {"a": Default}, teacher: (level: LOW))"#),
    ]);
    let document = layered(&folder, &["optimizer.schedule=Default"]);
    assert_eq!(at(&document, "optimizer"), "AdamW(lr: 1)");
    assert_eq!(at(&document, "tags"), "{\"c\": \"d\"}");
    // a setting over nothing
    assert_eq!(at(&document, "teacher"), "(level: LOW)");
    assert!(document.root.get("seed").is_none());
    // of a component that is another one in the end, nothing is said
    let files = [
        ("exp.ron", r#"(base: "base.ron", optimizer: (weight_decay: Default))"#),
        ("base.ron", r#"(name: "x", optimizer: AdamW(lr: 1, weight_decay: 2))"#),
    ];
    let read: Experiment = layered(&self::folder(&files), &["optimizer=Sgd(lr: 1, momentum: 0)"]).read().unwrap();
    assert!(format!("{:?}", read.optimizer).contains("momentum: 0.0"));
}

/// `PATH` and `HOME` are set for every test; what they hold is no number.
#[test]
fn a_variable_gives_what_its_place_wants_and_a_default_of_any_type() {
    let folder = folder(&[(
        "exp.ron",
        r#"(name: Env("HOME"), seed: Env("NO_SUCH_VARIABLE", 3), optimizer: Sgd(lr: Env("NO_SUCH_VARIABLE", 0.5), momentum: Mul(Env("NO_SUCH_VARIABLE", 2), 0.25)),
            train: (compile: Env("NO_SUCH_VARIABLE", true), accumulate: Ref("seed")))"#,
    )]);
    let read: Experiment = layered(&folder, &[]).read().unwrap();
    assert_eq!((read.seed, read.train.accumulate, read.train.compile), (3, 3, true));
    assert_eq!(read.name, std::env::var("HOME").unwrap());
    assert!(format!("{:?}", read.optimizer).contains("lr: 0.5, momentum: 0.5"));
}

/// A variable of the process that runs the tests can't be set safely, so that a second one reads what it has.
#[test]
fn a_variable_is_read_as_a_number_where_one_is_wanted() {
    const NAME: &str = "ENGINE_TEST_NUMBER";
    if std::env::var_os(NAME).is_some() {
        let folder = folder(&[
            (
                "exp.ron",
                r#"(base: Env("ENGINE_TEST_BASE"), seed: Env("ENGINE_TEST_NUMBER"), train: (max_epochs: Mul(Env("ENGINE_TEST_NUMBER"), 2), compile: Env("ENGINE_TEST_TRUE")))"#,
            ),
            ("base.ron", r#"(name: "x", optimizer: Sgd(lr: Env("ENGINE_TEST_NUMBER"), momentum: 0))"#),
        ]);
        let read: Experiment = layered(&folder, &[]).read().unwrap();
        assert_eq!((read.seed, read.train.max_epochs, read.train.compile), (12, 24, true));
        assert!(format!("{:?}", read.optimizer).contains("lr: 12.0"));
        return;
    }
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "config::tests::parts::a_variable_is_read_as_a_number_where_one_is_wanted"]);
    again.env(NAME, " 12 ").env("ENGINE_TEST_TRUE", "true").env("ENGINE_TEST_BASE", "base.ron");
    let output = again.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

/// Each file is no deeper than it may be, all of them together are.
#[test]
fn parts_of_parts_are_not_deeper_than_one_file_may_be() {
    let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(100), "]".repeat(100));
    let folder = folder(&[("exp.ron", &nested("Include(\"b.ron\")")), ("b.ron", &nested("1"))]);
    let found = load_with::<&str>(&folder.path().join("exp.ron"), &[]).unwrap_err().short();
    assert!(found[0].contains("with this file, values are nested more than 128 levels deep"), "{found:?}");
}

#[test]
fn many_parts_end_in_a_mistake_and_not_in_a_long_wait() {
    // each file names the next one twice
    let name = |index: usize| format!("{index}.ron");
    let texts: Vec<(String, String)> =
        (0..40).map(|index| (name(index), format!("[Include(\"{0}\"), Include(\"{0}\")]", name(index + 1)))).collect();
    let mut files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("40.ron", "1"));
    let folder = folder(&files);
    let found = load_with::<&str>(&folder.path().join("0.ron"), &[]).unwrap_err().to_string();
    assert!(found.contains("files include files more than 32 files deep"), "{found}");
    assert!(Path::new(&folder.path().join("40.ron")).is_file());
}
