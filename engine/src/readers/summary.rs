//! A run in a few numbers: a line of a table, or an object of JSON.

use super::run::RunReader;
use super::series::{Group, Series};
use super::sweep::Sweep;
use serde::Serialize;
use std::path::Path;

/// What a table of runs shows of one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The name of the folder.
    pub name: String,
    /// The folder.
    pub folder: String,
    /// The name of the sweep of which it is a trial.
    pub sweep: Option<String>,
    /// `running`, `finished`, `stopped`, `failed`, `killed` or `unknown`.
    pub state: &'static str,
    /// The reason of the state, if there is one to tell.
    pub detail: String,
    /// When the first training began: UTC, ISO 8601.
    pub begun: Option<String>,
    /// When the last line of the log was written.
    pub last: Option<String>,
    /// How often the training went on from a checkpoint.
    pub resumed: u64,
    /// The git commit of the last training, with the number of files that were changed since.
    pub commit: Option<String>,
    /// Finished epochs.
    pub epoch: u64,
    /// Finished iters.
    pub iter: u64,
    /// Seconds of training.
    pub time: f64,
    /// How much of the rows was read, from 0 to 1.
    pub progress: f64,
    /// Every metric, in the order of the rows.
    pub metrics: Vec<Measured>,
    /// What a person has to know of the reading.
    pub notices: Vec<String>,
}

/// The values of a metric in a few numbers. What is not finite is `null` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The full name: `val/accuracy`.
    pub key: String,
    /// The last value.
    pub last: f64,
    /// The best finite value.
    pub best: Option<f64>,
    /// The iter of the best value.
    pub best_iter: Option<u64>,
    /// Which values are taken for better, by the name of the metric: `smaller` or `larger`.
    pub better: &'static str,
    /// How many values were not finite.
    pub not_finite: usize,
}

impl Summary {
    /// Of a run as far as it was read.
    pub fn of(run: &RunReader) -> Summary {
        let session = run.log().session();
        let (epoch, iter, time) = run.rows().last().unwrap_or_default();
        let commit = session.fact("git commit").filter(|commit| !commit.starts_with("none"));
        Summary {
            name: run.name(),
            folder: run.folder().display().to_string(),
            sweep: run.folder().parent().filter(|folder| Sweep::is_in(folder)).map(name_of),
            state: run.state().word(),
            detail: run.state().detail(),
            begun: session.begun.clone(),
            last: session.last.clone(),
            resumed: session.resumed,
            commit: commit.map(str::to_owned),
            epoch,
            iter,
            time,
            progress: run.progress(),
            metrics: run
                .rows()
                .groups()
                .iter()
                .flat_map(|group| group.series().iter().map(|of| measured(group, of)))
                .collect(),
            notices: run.notices(),
        }
    }

    /// The best value of a metric: `val/accuracy`; of several loaders, that of the first one where the name tells none.
    pub fn best_of(&self, key: &str) -> Option<f64> {
        let (phase, name) = key.split_once('/')?;
        let is_of_loader = |metric: &&Measured| {
            let rest = metric.key.strip_prefix(phase).and_then(|rest| rest.strip_prefix('/'));
            rest.and_then(|rest| rest.split_once('/')).is_some_and(|(_, rest)| rest == name)
        };
        let exact = self.metrics.iter().find(|metric| metric.key == key);
        exact.or_else(|| self.metrics.iter().find(is_of_loader))?.best
    }

    /// The metrics of evaluations.
    pub fn evaluated(&self) -> impl Iterator<Item = &Measured> {
        self.metrics.iter().filter(|metric| !metric.key.starts_with("train/"))
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

fn measured(group: &Group, series: &Series) -> Measured {
    let larger = larger_is_better(&series.name);
    let best = series.extreme(larger);
    Measured {
        key: format!("{}/{}", group.name, series.name),
        last: series.last().unwrap_or(f64::NAN),
        best: best.map(|place| series.values()[place]),
        best_iter: best.and_then(|place| series.iter_of(group, place)),
        better: if larger { "larger" } else { "smaller" },
        not_finite: series.not_finite(),
    }
}

/// Words of metrics of which smaller values are better.
const SMALLER: [&str; 13] =
    ["loss", "error", "perplexity", "mae", "mse", "rmse", "nll", "wer", "cer", "fid", "time", "norm", "eta"];

/// Whether larger values of a metric are better, as far as its name tells: a run's files do not say it.
pub fn larger_is_better(name: &str) -> bool {
    let lower = name.to_lowercase();
    !lower
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| SMALLER.contains(&word.trim_end_matches(|c: char| c.is_numeric())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_metric_tells_what_is_better() {
        for smaller in ["loss", "val/loss", "mean_loss", "rmse", "top5_error", "bits/WER", "data_time", "grad_norm"] {
            assert!(!larger_is_better(smaller), "{smaller}");
        }
        for larger in ["accuracy", "top5", "f1", "map", "lossless_share", "timely"] {
            assert!(larger_is_better(larger), "{larger}");
        }
    }
}
