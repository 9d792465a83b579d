//! What a trial has left: the best value of the metric, its length, or its last error.

use crate::base::{ErrorContext as _, Result};
use crate::folder::{PLAN, RunPlan};
use crate::metric::Better;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Of the output of a trial, so many bytes are searched for its error.
const END: u64 = 16 << 10;
/// How the lines begin that tell the causes of an error.
const CAUSE: &str = "  caused by: ";

/// The best value of a watched metric among the rows of a run; none where there is none that is finite.
pub(super) fn best_of(run: &Path, watch: &str, better: Better) -> Result<Option<f64>> {
    let path = run.join("metrics.jsonl");
    let Ok(file) = File::open(&path) else { return Ok(None) };
    let (phase, name) = watch.split_once('/').unwrap_or(("val", watch));
    let mut best: Option<f64> = None;
    // of several loaders, the first stands for all where the name tells none
    let mut first: Option<String> = None;
    for line in BufReader::new(file).split(b'\n') {
        let line = line.with_context(|| format!("`{}` can't be read", path.display()))?;
        // a kill may have torn the last one
        let Ok(row) = serde_json::from_slice::<Value>(&line) else { continue };
        if row["phase"] != phase {
            continue;
        }
        let loader = row["loader"].as_str().unwrap_or_default();
        let first = first.get_or_insert_with(|| loader.to_owned());
        let own = name.strip_prefix(loader).and_then(|rest| rest.strip_prefix('/'));
        let value = match own.filter(|_| !loader.is_empty()) {
            Some(own) => row[own].as_f64(),
            None if loader == first => row[name].as_f64(),
            None => None,
        };
        if let Some(value) = value.filter(|value| value.is_finite())
            && best.is_none_or(|best| better.is_better(value, best, 0.0))
        {
            best = Some(value);
        }
    }
    Ok(best)
}

/// The last error in a trial's output with its causes, in one line.
pub(super) fn last_error(output: &Path) -> Option<String> {
    let mut file = File::open(output).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let Some(first) = lines.iter().rposition(|line| line.starts_with("error") || line.contains("panicked")) else {
        return lines.iter().rev().find(|line| !line.trim().is_empty()).map(|line| (*line).to_owned());
    };
    let mut error = lines[first].to_owned();
    // what a panic says stands in the line after its place
    if error.contains("panicked at") && error.ends_with(':') {
        error.extend(lines.get(first + 1).map(|line| format!(" {}", line.trim())));
    }
    for cause in lines[first + 1..].iter().map_while(|line| line.strip_prefix(CAUSE)) {
        error.push_str(": ");
        error.push_str(cause);
    }
    Some(error)
}

/// How long a training is, by its own plan; none where it has written no plan.
pub(super) fn planned_iters(run: &Path) -> Option<u64> {
    let plan = std::fs::read(run.join(PLAN)).ok()?;
    Some(serde_json::from_slice::<RunPlan>(&plan).ok()?.max_iters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_row_counts_of_the_loader_that_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let rows = [
            r#"{"phase":"train","iter":1,"loss":0.1}"#,
            r#"{"phase":"val","loader":"easy","iter":1,"loss":0.5,"accuracy":null}"#,
            r#"{"phase":"val","loader":"hard","iter":1,"loss":0.3,"accuracy":0.25}"#,
            r#"{"phase":"val","loader":"easy","iter":2,"loss":0.4,"accuracy":0.75}"#,
            r#"{"phase":"val","loader":"hard","iter":2,"loss":0.6,"acc"#,
        ];
        let best = |watch: &str, better| best_of(folder.path(), watch, better).unwrap();
        assert_eq!(best("val/loss", Better::Lower), None);
        std::fs::write(folder.path().join("metrics.jsonl"), rows.join("\n")).unwrap();
        assert_eq!(best("val/loss", Better::Lower), Some(0.4));
        assert_eq!(best("val/hard/loss", Better::Lower), Some(0.3));
        assert_eq!(best("val/easy/accuracy", Better::Higher), Some(0.75));
        assert_eq!(best("val/absent", Better::Higher), None);
    }

    #[test]
    fn the_error_of_a_trial_is_its_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0000.txt");
        assert_eq!(last_error(&path), None);
        let text = "error: before\niter 1\nerror: a file can't be written\n  caused by: the disk is full\n  caused by: no space\nthe end\n";
        std::fs::write(&path, text).unwrap();
        let whole = "error: a file can't be written: the disk is full: no space";
        assert_eq!(last_error(&path).as_deref(), Some(whole));
        std::fs::write(&path, "thread 'main' panicked at src/a.rs:1:2:\nit is odd\nnote: run with\n").unwrap();
        assert_eq!(last_error(&path).as_deref(), Some("thread 'main' panicked at src/a.rs:1:2: it is odd"));
        std::fs::write(&path, "iter 1\n\n").unwrap();
        assert_eq!(last_error(&path).as_deref(), Some("iter 1"));
    }
}
