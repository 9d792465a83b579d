//! The settings of a run: every value of its `experiment.ron`, with its line.

use super::place;
use crate::config::{Kind, MAX_FILE, Node, Sources, parse_text, print_line};
use crate::folder::EXPERIMENT;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

/// One value of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `optimizer.lr`; the name of a component is under the path of the component itself, `optimizer`.
    pub path: String,
    /// As the file has it.
    pub value: String,
    /// The file and the line: `experiment.ron:12:9`.
    pub place: String,
}

/// The text of the experiment that a run has saved, and its settings.
///
/// # Errors
/// A sentence, when it can't be read.
pub fn settings(folder: &Path) -> Result<(String, Vec<Setting>), String> {
    let told = |error: &dyn std::fmt::Display| format!("`{EXPERIMENT}` can't be read: {error}");
    let mut text = String::new();
    let file = place::open(folder, EXPERIMENT).map_err(|error| told(&error))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| told(&error))?;
    if text.len() as u64 > MAX_FILE {
        return Err(told(&format_args!("it has more than {MAX_FILE} bytes")));
    }
    let document = parse_text(EXPERIMENT, &text).map_err(|errors| told(&errors.render(false)))?;
    let mut found = Vec::new();
    flatten("", &document.root, &document.sources, &mut found);
    Ok((text, found))
}

fn flatten(path: &str, node: &Node, sources: &Sources, found: &mut Vec<Setting>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let value = match (&node.kind, node.name()) {
        (Kind::Struct(_) | Kind::Seq(_) | Kind::Tuple(_), name) => name.map(str::to_owned),
        _ => Some(print_line(node)),
    };
    // the whole of the experiment has a name, and no path
    if let Some(value) = value.filter(|_| !path.is_empty()) {
        found.push(Setting { path: path.to_owned(), value, place: sources.position(node.span) });
    }
    match &node.kind {
        Kind::Struct(_) => {
            node.fields().iter().for_each(|field| flatten(&below(&field.key), &field.value, sources, found))
        }
        Kind::Seq(items) | Kind::Tuple(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| flatten(&below(&index.to_string()), item, sources, found));
        }
        _ => {}
    }
}

/// The paths whose values are not the same in all runs, sorted; a path that a run lacks counts as another value. Where runs
/// lie and what they are called is left out.
pub fn differing(runs: &[&[Setting]]) -> Vec<String> {
    let paths: BTreeSet<&str> = runs.iter().flat_map(|run| run.iter().map(|setting| setting.path.as_str())).collect();
    let value =
        |run: &[Setting], path: &str| run.iter().find(|setting| setting.path == path).map(|found| found.value.clone());
    let differs = |path: &&str| {
        let mut values = runs.iter().map(|run| value(run, path));
        let first = values.next();
        !matches!(*path, "name" | "work_dir") && values.any(|other| Some(&other) != first.as_ref())
    };
    paths.into_iter().filter(differs).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (tempfile::TempDir, Result<(String, Vec<Setting>), String>) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(EXPERIMENT), text).unwrap();
        let read = settings(dir.path());
        (dir, read)
    }

    #[test]
    fn every_value_has_its_path_and_place() {
        let (_dir, read) =
            run("Experiment(\n  name: \"a\",\n  optimizer: AdamW(lr: 0.001),\n  metrics: [Accuracy(), Loss()],\n)");
        let (_, settings) = read.unwrap();
        let told: Vec<String> = settings.iter().map(|s| format!("{} = {} ({})", s.path, s.value, s.place)).collect();
        assert_eq!(
            told,
            [
                "name = \"a\" (experiment.ron:2:9)",
                "optimizer = AdamW (experiment.ron:3:14)",
                "optimizer.lr = 0.001 (experiment.ron:3:24)",
                "metrics.0 = Accuracy (experiment.ron:4:13)",
                "metrics.1 = Loss (experiment.ron:4:25)",
            ]
        );
    }

    #[test]
    fn what_differs_is_told_and_what_only_says_where_a_run_lies_is_not() {
        let (_a, first) = run("Experiment(name: \"a\", work_dir: \"x\", seed: 1, optimizer: AdamW(lr: 0.1))");
        let (_b, second) =
            run("Experiment(name: \"b\", work_dir: \"y\", seed: 1, optimizer: Sgd(lr: 0.1, momentum: 0.9))");
        let (first, second) = (first.unwrap().1, second.unwrap().1);
        assert_eq!(differing(&[&first, &second]), ["optimizer", "optimizer.momentum"]);
        assert!(differing(&[&first, &first]).is_empty() && differing(&[]).is_empty());
    }

    #[test]
    fn an_experiment_that_is_broken_is_told() {
        let (dir, read) = run("Experiment(name: ");
        assert!(read.unwrap_err().starts_with("`experiment.ron` can't be read: "));
        std::fs::remove_file(dir.path().join(EXPERIMENT)).unwrap();
        assert!(settings(dir.path()).is_err());
    }
}
