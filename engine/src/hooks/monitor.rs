//! What hooks that watch a metric ask of its name, and the best value that they keep of it.

use crate::base::{Error, Result, Saved, StateError, StateMap, StateValue};
use crate::metric::{Better, watched};
use crate::run::Context;

/// Which direction of a metric is better, for one that is watched from validation to validation.
///
/// # Errors
/// When no validation produces it, or it has no better direction. A file is refused for it when it is read; programs
/// that are built in code are told here.
pub(crate) fn direction_of(monitor: &str, cx: &Context<'_>) -> Result<Better> {
    watched(monitor, cx.measures()).map_err(|why| Error::msg(why.sentence(monitor)))
}

/// The best value of a watched metric so far, and what has measured it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Best {
    value: Option<f64>,
    /// The metric with its settings, and which direction is better; empty while nobody has said.
    by: String,
}

impl Best {
    /// The value; `None` before the first one.
    pub(crate) fn value(&self) -> Option<f64> {
        self.value
    }

    /// Says what measures the values to come. A best value of something else can't be compared with them: it is
    /// forgotten, and a text says so.
    pub(crate) fn is_of(&mut self, monitor: &str, cx: &Context<'_>) -> Option<String> {
        let by = cx.measured_by(monitor);
        let other = !self.by.is_empty() && self.by != by;
        let told = (other && self.value.is_some()).then(|| {
            format!(
                "`{monitor}` is now measured by another metric or with other weights, so its best value starts over"
            )
        });
        if other {
            self.value = None;
        }
        by.clone_into(&mut self.by);
        told
    }

    /// Takes a value when it is better by more than `by`, or the first one. Whether it was.
    pub(crate) fn take(&mut self, value: f64, better: Better, by: f64) -> bool {
        let taken = self.value.is_none_or(|best| better.is_better(value, best, by));
        if taken {
            self.value = Some(value);
        }
        taken
    }
}

impl Saved for Best {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("value", &self.value);
        map.put("by", &self.by);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Best { value: map.take("value")?, by: map.take("by")? })
    }
}
