//! One finished row, and what it is as a line of JSON.

use super::RecordError;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// Which loop a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowPhase {
    /// Training.
    Train,
    /// Validation.
    Val,
    /// The test.
    Test,
}

/// Values that belong together: a window of training, or one evaluation of one loader.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which loop it is about.
    pub phase: RowPhase,
    /// The loader's name, where a phase has several.
    pub loader: Option<String>,
    /// Finished epochs.
    pub epoch: u64,
    /// Finished iters.
    pub iter: u64,
    /// Seconds since the run's start.
    pub time: f64,
    /// The numbers, in the order in which they are shown.
    pub values: Vec<(String, f64)>,
}

impl RowPhase {
    /// `train`, `val` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            RowPhase::Train => "train",
            RowPhase::Val => "val",
            RowPhase::Test => "test",
        }
    }
}

impl fmt::Display for RowPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Row {
    /// The full name of a value, as hooks monitor it: `val/accuracy`, or `val/hard/accuracy` for a named loader.
    pub fn key(&self, name: &str) -> String {
        match &self.loader {
            Some(loader) => format!("{}/{loader}/{name}", self.phase),
            None => format!("{}/{name}", self.phase),
        }
    }

    /// Whether it can be written without two values under one key.
    ///
    /// # Errors
    /// When a value has the name of another one, or of a key that every row has.
    pub fn check(&self) -> Result<(), RecordError> {
        for (index, (name, _)) in self.values.iter().enumerate() {
            if ["phase", "loader", "epoch", "iter", "time"].contains(&name.as_str()) {
                return Err(RecordError::Reserved(name.clone()));
            }
            if self.values[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(RecordError::Twice(name.clone()));
            }
        }
        Ok(())
    }
}

/// A flat map: the fixed keys first (`loader` only where there is one), then the values.
///
/// Numbers are exact. JSON has neither NaN nor infinities: they are `null`, which every reader takes in a column
/// of numbers, as it would not take a text. `time` is rounded to milliseconds.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("phase", self.phase.as_str())?;
        if let Some(loader) = &self.loader {
            map.serialize_entry("loader", loader)?;
        }
        map.serialize_entry("epoch", &self.epoch)?;
        map.serialize_entry("iter", &self.iter)?;
        map.serialize_entry("time", &((self.time * 1e3).round() / 1e3))?;
        for (name, value) in &self.values {
            map.serialize_entry(name, &value.is_finite().then_some(value))?;
        }
        map.end()
    }
}
