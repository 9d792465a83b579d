//! `runs`: a table of the runs in a folder.

use crate::base::{ErrorContext as _, Result};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::readers::{Locks, RunReader, Summary, find_runs};
use crate::sinks::{clock, value_text};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Prints the runs of a folder, the newest last.
pub(super) fn print(folder: &Path, json: bool) -> Result<(), Failure> {
    let mut runs = summaries(&found(folder)?);
    runs.sort_by(|a, b| (&a.begun, &a.name).cmp(&(&b.begun, &b.name)));
    if json {
        let text = serde_json::to_string_pretty(&runs).context("the runs can't be printed")?;
        return Ok(out::line(text)?);
    }
    table(&runs)?;
    for run in &runs {
        run.notices.iter().try_for_each(|notice| out::line(format_args!("{}: {notice}", shown(&run.name))))?;
    }
    Ok(())
}

/// The runs in a folder.
///
/// # Errors
/// When there are none: then a name was most likely misspelt.
pub(super) fn found(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let runs = find_runs(folder);
    let told = |why: &str| Failure::Usage(format!("`{}` {why}", folder.display()));
    match runs.is_empty() {
        false => Ok(runs),
        true if folder.is_dir() => {
            Err(told("holds no run: no folder below it has an `experiment.ron` or a `metrics.jsonl`"))
        }
        true => Err(told("is not a folder; name that of a run, or one with runs in it")),
    }
}

/// What there is to tell of each, read by several threads.
fn summaries(folders: &[PathBuf]) -> Vec<Summary> {
    let locks = Locks::read();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(folders.len()).max(1);
    let read = |folder: &PathBuf| {
        let mut run = RunReader::new(folder);
        run.read_all(&locks);
        Summary::of(&run)
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = folders
            .chunks(folders.len().div_ceil(threads).max(1))
            .map(|part| scope.spawn(move || part.iter().map(read).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

const HEAD: [&str; 9] = ["NAME", "SWEEP", "STATE", "EPOCH", "ITER", "TIME", "BEGUN", "COMMIT", "BEST"];
/// The place of the sweep, which is left out where no run is a trial of one.
const SWEEP: usize = 1;
/// Metrics that a line shows.
const MOST_METRICS: usize = 3;

fn table(runs: &[Summary]) -> Result<()> {
    let lines: Vec<[String; 9]> = std::iter::once(HEAD.map(str::to_owned)).chain(runs.iter().map(line)).collect();
    let has_sweeps = runs.iter().any(|run| run.sweep.is_some());
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).enumerate().filter(|(column, _)| has_sweeps || *column != SWEEP);
        let padded = cells.map(|(_, (cell, &width))| format!("{cell:width$}"));
        out::line(padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn line(run: &Summary) -> [String; 9] {
    let best = run.evaluated().filter_map(|metric| {
        let (value, iter) = (metric.best?, metric.best_iter?);
        Some(format!("{} {} at {iter}", shown(&metric.key), value_text(&metric.key, value)))
    });
    let state = match run.resumed {
        0 => run.state.to_owned(),
        times => format!("{}, resumed {times}x", run.state),
    };
    let commit = run.commit.as_deref().unwrap_or_default();
    let changed = if commit.contains(',') { "+" } else { "" };
    [
        shown(&run.name),
        run.sweep.as_deref().map(shown).unwrap_or_default(),
        state,
        run.epoch.to_string(),
        run.iter.to_string(),
        Duration::try_from_secs_f64(run.time).map_or_else(|_| "?".to_owned(), clock),
        run.begun.as_deref().unwrap_or_default().replace('T', " ").trim_end_matches('Z').to_owned(),
        format!("{}{changed}", commit.chars().take_while(char::is_ascii_hexdigit).take(8).collect::<String>()),
        best.take(MOST_METRICS).collect::<Vec<_>>().join(", "),
    ]
}

/// A name as a terminal can show it: whatever is in it, it moves no cursor and changes no colour.
pub(super) fn shown(name: &str) -> String {
    // the marks for the direction of a script turn what stands around them
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}
