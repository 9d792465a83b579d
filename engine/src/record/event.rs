//! One recorded value, with what it is about and when it was recorded.

use super::{Moment, RowPhase, Value};

/// A value under a name, with its phase and moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Which loop it is about.
    pub phase: RowPhase,
    /// The loader's name, where a phase has several.
    pub loader: Option<String>,
    /// When it was recorded.
    pub at: Moment,
    /// The name it was logged under.
    pub name: String,
    /// What was logged.
    pub value: Value,
}

impl Event {
    /// The full name: `train/loss`, `val/accuracy`, or `val/hard/accuracy` where a phase has several loaders.
    pub fn key(&self) -> String {
        self.phase.key(self.loader.as_deref(), &self.name)
    }
}
