//! One recorded value, with its loop, name and moment.

use super::{Moment, RowPhase, Value};

/// A value under a name, with its phase and moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The loop to which it belongs.
    pub phase: RowPhase,
    /// The loader's name, if the phase has several loaders.
    pub loader: Option<String>,
    /// When it was recorded.
    pub at: Moment,
    /// The name it was logged under.
    pub name: String,
    /// The value.
    pub value: Value,
}

impl Event {
    /// The full name: `train/loss`, `val/accuracy`, or `val/hard/accuracy` if the phase has several loaders.
    pub fn key(&self) -> String {
        self.phase.key(self.loader.as_deref(), &self.name)
    }
}
