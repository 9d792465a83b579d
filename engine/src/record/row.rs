//! One finished row, and its form as a line of JSON.

use super::{Event, Moment, RecordError, RowPhase, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The keys that every row has, so that no value can have their names.
pub(crate) const RESERVED: [&str; 5] = ["phase", "loader", "epoch", "iter", "time"];

/// Numbers that belong together: a window of training, or one evaluation of one loader.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which loop it is about.
    pub phase: RowPhase,
    /// The loader's name, if the phase has several loaders.
    pub loader: Option<String>,
    /// When it was written.
    pub at: Moment,
    /// The numbers, in the order in which they are shown.
    pub values: Vec<(String, f64)>,
}

impl Row {
    /// The full name of a value of this row.
    pub fn key(&self, name: &str) -> String {
        self.phase.key(self.loader.as_deref(), name)
    }

    /// Its numbers, one by one.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        self.values.iter().map(|(name, value)| Event {
            phase: self.phase,
            loader: self.loader.clone(),
            at: self.at,
            name: name.clone(),
            value: Value::Number(*value),
        })
    }

    /// Checks that no two values have the same key.
    ///
    /// # Errors
    /// When two values have the same name, or a name is a key that every row has, or a name is invalid, for example
    /// empty.
    pub fn check(&self) -> Result<(), RecordError> {
        for (index, (name, _)) in self.values.iter().enumerate() {
            check_name(name)?;
            if RESERVED.contains(&name.as_str()) {
                return Err(RecordError::Reserved(name.clone()));
            }
            if self.values[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(RecordError::Twice(name.clone()));
            }
        }
        Ok(())
    }
}

/// Whether something can be recorded under a name.
///
/// # Errors
/// When it is empty, as also behind the name of a pass, or has control characters, such as the end of a line.
pub(crate) fn check_name(name: &str) -> Result<(), RecordError> {
    match name.is_empty() || name.ends_with('/') || name.chars().any(char::is_control) {
        true => Err(RecordError::Name(name.to_owned())),
        false => Ok(()),
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
        map.serialize_entry("epoch", &self.at.epoch)?;
        map.serialize_entry("iter", &self.at.iter)?;
        map.serialize_entry("time", &((self.at.time * 1e3).round() / 1e3))?;
        for (name, value) in &self.values {
            map.serialize_entry(name, &value.is_finite().then_some(value))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_refuses_names_that_lines_and_readers_would_take_for_something_else() {
        let refused = |names: &[&str]| {
            let values = names.iter().map(|name| ((*name).to_owned(), 1.0)).collect();
            let row = Row { phase: RowPhase::Train, loader: None, at: Moment::default(), values };
            row.check().map_err(|error| error.to_string())
        };
        assert_eq!(refused(&["loss", "critic/loss", "größe"]), Ok(()));
        assert!(refused(&["epoch"]).unwrap_err().starts_with("`epoch` is a column of every row"));
        assert!(refused(&["a", "b", "a"]).unwrap_err().starts_with("`a` was logged twice in one row"));
        for name in ["", "critic/", "a\nb"] {
            assert_eq!(
                refused(&[name]),
                Err(format!("{name:?} is not a valid name for a recorded value; use letters, digits and `/`"))
            );
        }
    }
}
