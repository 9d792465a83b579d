//! `checkpoints list`: a table, a line for each state.

use super::text::bytes;
use crate::base::Error;
use crate::checkpoint::Checkpoint;
use crate::cli::failure::Failure;
use crate::cli::out;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// One state, under all names that it has here.
struct Row {
    id: Option<(u64, u64)>,
    names: Vec<String>,
    place: String,
    bytes: u64,
    state: String,
    metrics: String,
}

const HEAD: [&str; 5] = ["NAMES", "EPOCH, ITER", "SIZE", "STATE", "METRICS"];

/// Prints what is known without reading all files.
pub(super) fn print(paths: &[PathBuf]) -> Result<(), Failure> {
    let mut rows: Vec<Row> = Vec::new();
    for path in paths {
        let found = row(path);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        // a state that was kept under several names is one set of files
        match rows.iter_mut().find(|row| row.id.is_some() && row.id == found.id) {
            Some(row) => row.names.push(name),
            None => rows.push(Row { names: vec![name], ..found }),
        }
    }
    let cells = rows
        .iter()
        .map(|row| [row.names.join(", "), row.place.clone(), bytes(row.bytes), row.state.clone(), row.metrics.clone()]);
    let lines: Vec<[String; 5]> = std::iter::once(HEAD.map(str::to_owned)).chain(cells).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    for line in &lines {
        let padded = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        out::line(padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    let total = rows.iter().map(|row| row.bytes).sum();
    let state = if rows.len() == 1 { "state" } else { "states" };
    out::line(format_args!(
        "{} {state}, {}; `whole` is by sizes, `checkpoints verify` reads every byte",
        rows.len(),
        bytes(total)
    ))?;
    Ok(())
}

/// What two names of one state have in common: the device and the number of their files.
pub(super) fn id_of(checkpoint: &Path) -> Option<(u64, u64)> {
    checkpoint.join("manifest").symlink_metadata().ok().map(|found| (found.dev(), found.ino()))
}

fn row(path: &Path) -> Row {
    let mut row = Row {
        id: id_of(path),
        names: Vec::new(),
        place: "?".to_owned(),
        bytes: 0,
        state: String::new(),
        metrics: String::new(),
    };
    let told = Checkpoint::open(path).and_then(|checkpoint| {
        row.bytes = checkpoint.bytes();
        let meta = checkpoint.meta()?;
        row.place = format!("{}, {}", meta.epoch.get(), meta.iter.get());
        let measured = checkpoint.measured()?;
        let values = measured.metrics.iter().map(|(name, value)| format!("{name} {value:.4}"));
        row.metrics = values.collect::<Vec<_>>().join(", ");
        if let Some(iter) = measured.validated_at.filter(|iter| *iter != meta.iter && !row.metrics.is_empty()) {
            row.metrics.push_str(&format!(" (of {iter})"));
        }
        checkpoint.check_sizes()
    });
    row.state = match told {
        Ok(()) => "whole".to_owned(),
        Err(error) => format!("damaged: {:#}", Error::from(error)),
    };
    row
}
