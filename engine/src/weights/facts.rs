//! What is said of weights that are given away, in the header of their file and in its card.

use crate::checkpoint::{Measured, Meta};
use std::path::PathBuf;
use tch::Kind;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Its card.
    pub card: Option<PathBuf>,
    /// The blake3 hash of the file's content, in hexadecimal digits.
    pub hash: String,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// Whether it holds the average that evaluations use, beside which the trained weights lie.
    pub averaged: bool,
    /// The tensors that have no precision to convert, as counts of integers, where one was asked for; with their kinds.
    pub unconverted: Vec<(String, Kind)>,
}

/// What is said of exported weights.
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) model: String,
    pub(super) averaged: bool,
    /// Whether evaluations use these weights, and not an average of them.
    pub(super) evaluated: bool,
    pub(super) meta: Meta,
    pub(super) measured: Measured,
    /// `experiment.ron` of the run, without the folder of runs.
    pub(super) experiment: Option<String>,
}

impl Facts {
    /// The notes in the file's header, sorted by key.
    pub(super) fn notes(&self) -> Vec<(String, String)> {
        let mut notes = vec![
            ("engine".to_owned(), self.meta.engine.clone()),
            ("epoch".to_owned(), self.meta.epoch.get().to_string()),
            ("iter".to_owned(), self.meta.iter.get().to_string()),
            ("model".to_owned(), self.model.clone()),
            ("name".to_owned(), self.name.clone()),
            // what programs of PyTorch ask for
            ("format".to_owned(), "pt".to_owned()),
            ("weights".to_owned(), if self.averaged { "averaged" } else { "trained" }.to_owned()),
        ];
        notes.extend(self.experiment.clone().map(|text| ("experiment".to_owned(), text)));
        notes.extend(self.own_metrics().map(|(name, value)| (format!("metrics.{name}"), value.to_string())));
        notes.extend(self.meta.notes.iter().map(|(key, text)| (format!("start.{key}"), text.clone())));
        notes.sort();
        notes
    }

    /// What was measured with these weights.
    pub(super) fn own_metrics(&self) -> impl Iterator<Item = (&str, f64)> {
        let own = self.evaluated && self.measured.validated_at == Some(self.meta.iter);
        self.measured.metrics.iter().filter(move |_| own).map(|(name, value)| (name.as_str(), *value))
    }
}
