//! The sweeps among the runs of the page.

use super::shelf::{Entry, Shelf, id_of};
use crate::readers::{Sweep, larger_is_better};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A sweep.
#[derive(Serialize)]
pub(super) struct SweepView {
    id: String,
    name: String,
    folder: String,
    /// Why it can't be shown.
    error: Option<String>,
    watch: String,
    /// Which values are taken for better, by the name of the metric: `smaller` or `larger`.
    better: &'static str,
    over: Vec<String>,
    /// The iters at which trials stop until they are found good enough to go on.
    rungs: Vec<u64>,
    trials: Vec<TrialView>,
}

/// A trial.
#[derive(Serialize)]
struct TrialView {
    /// The number, as the name of its run has it.
    name: String,
    /// The id of its run, once there is one.
    run: Option<String>,
    values: Vec<String>,
    /// The best value so far.
    value: Option<f64>,
    /// The best value when it came to each rung.
    rungs: Vec<f64>,
    /// How often it went on from a rung.
    promoted: usize,
    /// Its finished iters, once there is a run.
    iter: Option<u64>,
    /// Whether it was trained to its end.
    whole: bool,
    /// `running`, `finished`, …, as that of its run; `waiting` without one.
    state: &'static str,
    failed: Option<String>,
}

/// All sweeps of which there is a run, by their folders.
pub(super) fn sweeps(shelf: &Shelf) -> Vec<SweepView> {
    let mut found: BTreeMap<PathBuf, Vec<Arc<Entry>>> = BTreeMap::new();
    for entry in shelf.runs() {
        let folder = entry.reader().folder().parent().map(Path::to_owned);
        if let Some(folder) = folder {
            found.entry(folder).or_default().push(entry);
        }
    }
    let sweeps = found.iter().filter(|(folder, _)| Sweep::is_in(folder));
    sweeps.map(|(folder, runs)| view(folder, runs)).collect()
}

fn view(folder: &Path, runs: &[Arc<Entry>]) -> SweepView {
    let (error, sweep) = match Sweep::read(folder) {
        Ok(sweep) => (None, sweep),
        Err(error) => (Some(error), Sweep::default()),
    };
    let better = if larger_is_better(&sweep.watch) { "larger" } else { "smaller" };
    let trials = sweep.trials.into_iter().enumerate().map(|(number, trial)| {
        let name = Sweep::run_of(number);
        let run = runs.iter().find(|run| run.reader().name() == name);
        let summary = run.map(|run| run.summary());
        let so_far = || summary.as_ref()?.best_of(&sweep.watch);
        TrialView {
            iter: summary.as_ref().map(|summary| summary.iter),
            whole: trial.value.is_some(),
            value: trial.value.or_else(so_far).or(trial.rungs.last().copied()).filter(|_| trial.failed.is_none()),
            state: summary.as_ref().map_or("waiting", |summary| summary.state),
            run: run.map(|run| run.id.clone()),
            name,
            values: trial.values,
            rungs: trial.rungs,
            promoted: trial.promoted,
            failed: trial.failed,
        }
    });
    SweepView {
        id: id_of(folder),
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        folder: folder.display().to_string(),
        error,
        better,
        trials: trials.collect(),
        over: sweep.over,
        rungs: sweep.rungs,
        watch: sweep.watch,
    }
}
