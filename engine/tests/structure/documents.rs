//! What the documents show is what is there: their programs run, their experiments are read.

use engine::config::print_line;
use engine::hooks::DefaultHooks;
use engine::trainer::{DeviceChoice, Experiment};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The program of the README, as it stands there.
mod readme {
    #![allow(dead_code, reason = "its `main` is not called, and its trainer's fields are read by the engine alone")]
    #![allow(unreachable_pub, reason = "a program's items, in the middle of a test")]
    include!("programs/spirals.rs");
}

/// The short program of the README, as it stands there.
pub(crate) mod forty_lines {
    #![allow(dead_code, reason = "its `main` is not called, and its trainer's fields are read by the engine alone")]
    #![allow(unreachable_pub, missing_docs, reason = "a program's items, in the middle of a test")]
    include!("programs/forty_lines.rs");
}

/// Held while a program of the README trains: its first weights come from libtorch's generator, which the process has
/// once.
pub(crate) fn alone() -> impl Drop {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a language, with the line each begins at.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let block: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_start() != "```").collect();
        if info.split(',').next() == Some(language) {
            found.push((number + 2, block.join("\n") + "\n"));
        }
    }
    found
}

/// Every document of the project.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let paths = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let paths = paths.chain([root.join("README.md"), root.join("ARCHITECTURE.md")]);
    paths.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The README's experiment, with its runs in `work_dir`.
fn experiment(work_dir: &Path) -> Experiment<readme::Classifier> {
    let text = blocks(&document("README.md"), "ron").remove(1).1;
    let mut experiment = Experiment::parse("README.md", &text).unwrap_or_else(|errors| panic!("{errors}"));
    experiment.work_dir = work_dir.to_owned();
    experiment.device = DeviceChoice::Cpu;
    experiment.threads = Some(1); // on many small tensors several threads wait for each other
    experiment
}

#[test]
fn the_programs_of_the_readme_are_those_that_are_tested() {
    let shown: Vec<String> = blocks(&document("README.md"), "rust").into_iter().map(|(_, text)| text).collect();
    assert_eq!(shown, [include_str!("programs/forty_lines.rs"), include_str!("programs/spirals.rs")]);
}

#[test]
fn the_short_program_of_the_readme_learns() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let text = blocks(&document("README.md"), "ron").remove(0).1;
    let mut experiment = Experiment::<forty_lines::Classifier>::parse("README.md", &text).unwrap();
    experiment.work_dir = folder.path().to_owned();
    experiment.device = DeviceChoice::Cpu;
    experiment.threads = Some(1); // on many small tensors several threads wait for each other
    engine::trainer::run_train(experiment, engine::folder::Mode::New).unwrap();
    let rows = std::fs::read_to_string(folder.path().join("spirals/metrics.jsonl")).unwrap();
    let loss = |row: &str| serde_json::from_str::<serde_json::Value>(row).unwrap()["loss"].as_f64().unwrap();
    let (first, last) = (loss(rows.lines().next().unwrap()), loss(rows.lines().last().unwrap()));
    assert!(first > 0.5 && last < 0.5 * first, "from {first} to {last}");
}

#[test]
fn the_experiment_of_the_readme_trains_to_the_accuracy_it_names() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let summary = engine::trainer::run_train(experiment(folder.path()), engine::folder::Mode::New).unwrap();
    let accuracy = summary.metrics.iter().find(|(name, _)| name == "val/accuracy").unwrap().1;
    assert!(accuracy > 0.9, "{accuracy}");
    for file in ["experiment.ron", "log.txt", "metrics.jsonl", "checkpoints/latest", "checkpoints/best_val_accuracy"] {
        assert!(folder.path().join("spirals").join(file).exists(), "the README names `{file}`");
    }
}

#[test]
fn every_experiment_in_a_document_is_ron() {
    let mut seen = 0;
    for (path, text) in documents() {
        for (line, block) in blocks(&text, "ron") {
            seen += 1;
            // a part of an experiment is shown by its keys alone
            let whole = if block.starts_with("Experiment(") { block } else { format!("({block})") };
            if let Err(errors) = engine::config::parse_text("block", &whole) {
                panic!("{}:{line}:\n{errors}", path.display());
            }
        }
    }
    assert!(seen > 0, "no block was found: does this test still read them?");
}

#[test]
fn every_link_of_a_document_leads_to_a_file() {
    for (path, text) in documents() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(path.parent().unwrap().join(file).exists(), "{} links to `{file}`", path.display());
        }
    }
}

#[test]
fn the_readme_links_to_every_document() {
    let readme = document("README.md");
    for (path, _) in documents() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || readme.contains(&format!("{name})")), "the README does not link to {name}");
    }
}

#[test]
fn no_document_holds_marks_of_a_merge() {
    for (path, text) in documents() {
        let mark =
            text.lines().find(|line| ["<<<<<<< ", "=======", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)));
        assert_eq!(mark, None, "{}", path.display());
    }
}

#[test]
fn every_phase_is_told_of() {
    let text = document("docs/phases.md");
    for phase in engine::phase::Phase::ALL {
        assert!(text.contains(&format!("`{phase}`")), "`{phase}` is missing");
    }
    assert!(text.contains(&format!("There are {};", engine::phase::Phase::COUNT)));
}

#[test]
fn every_built_in_hook_is_told_of_with_all_its_settings() {
    let text = document("docs/hooks.md");
    for component in engine::config::registry::components() {
        if component.kind != "hook" || !component.origin.contains("engine/src/hooks") {
            continue;
        }
        let fields = component.fields.iter().filter(|field| field.name != "level");
        let in_every_program = DefaultHooks::NAMES.iter().any(|(name, _)| *name == component.name);
        let name = if in_every_program { component.name.to_lowercase() } else { component.name.to_owned() };
        assert!(text.contains(&format!("| `{name}` |")), "`{name}` is missing");
        for field in fields {
            let setting = format!("{name}.{}", field.name);
            let row = text.lines().find_map(|line| line.strip_prefix(&format!("| `{setting}` | ")));
            let told = row.unwrap_or_else(|| panic!("`{setting}` is missing")).split(" |").next().unwrap();
            let default = field.default.map_or("required".to_owned(), |default| print_line(&default().unwrap()));
            let number = |text: &str| text.parse::<f64>().ok();
            let same =
                told.trim_matches('`') == default || number(told).is_some_and(|told| number(&default) == Some(told));
            // what nothing means is said in words
            let in_words =
                ["None", "[]"].contains(&default.as_str()) && number(told).is_none() && !told.starts_with('`');
            assert!(same || in_words, "the default of `{setting}` is {default}, not {told}");
        }
    }
}

#[test]
fn every_invariant_of_the_map_names_a_test_that_is_there() {
    let text = document("ARCHITECTURE.md");
    let table = text.split("## What stays true").nth(1).unwrap();
    let tests = table.lines().filter(|line| line.starts_with('|')).filter_map(|line| line.rsplit('|').nth(1));
    let names: Vec<&str> = tests.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > 10, "{names:?}");
    let code = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "there is no test `{name}`");
    }
}

/// All Rust code of the project as one text.
fn sources(root: &Path) -> String {
    let mut text = String::new();
    let mut folders: Vec<PathBuf> =
        ["engine", "engine-macros", "tests", "ui-tests"].iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}
