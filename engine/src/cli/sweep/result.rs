//! What a trial has left: the best value of the metric, or its last error.

use crate::base::{ErrorContext as _, Result};
use crate::metric::Better;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Of the output of a trial, so many bytes are searched for its error.
const END: u64 = 16 << 10;

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

/// The last line of a trial's output that tells of an error.
pub(super) fn last_error(output: &Path) -> Option<String> {
    let mut file = File::open(output).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let error = text.lines().rev().find(|line| line.starts_with("error") || line.contains("panicked"));
    error.or(text.lines().rev().find(|line| !line.trim().is_empty())).map(str::to_owned)
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
        std::fs::write(&path, "iter 1\nerror: the first\n  caused by: it\n").unwrap();
        assert_eq!(last_error(&path).as_deref(), Some("error: the first"));
        std::fs::write(&path, "iter 1\n\n").unwrap();
        assert_eq!(last_error(&path).as_deref(), Some("iter 1"));
    }
}
