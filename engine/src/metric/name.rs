//! The name of a metric that is watched during a training.

use crate::base::suggest::meant;
use crate::metric::{Better, Measure};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::ops::Deref;

/// The name of a metric that a hook watches from validation to validation: `val/accuracy`.
///
/// In experiment files it is a text. An experiment with a setting of this type, also in your own hooks, is refused
/// when it is read if no validation produces the metric, or if neither direction of the metric is better. For a name
/// that must not be checked in this way, for example of a test loader, use a `String`.
///
/// ```
/// use engine::prelude::*;
///
/// /// Says when a metric is as good as this.
/// #[hook]
/// pub struct Reached {
///     #[config(default = "val/loss")]
///     monitor: MetricName,
///     #[config]
///     threshold: f64,
/// }
///
/// #[phases]
/// impl Reached {
///     fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
///         let better = cx.better(&self.monitor)?;
///         if cx.new_metric(&self.monitor).is_some_and(|value| better.is_better(value, self.threshold, 0.0)) {
///             cx.say(&format!("`{}` is better than {}", self.monitor, self.threshold))?;
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MetricName(String);

impl MetricName {
    /// How serde calls the type: how rules find such names among all settings.
    pub(crate) const TYPE: &'static str = "MetricName";

    /// What `list` and messages call it.
    pub(crate) const WORD: &'static str = "metric";
}

impl<'de> Deserialize<'de> for MetricName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Self::TYPE, NameVisitor)
    }
}

/// Reads the text within the newtype, and says what it wants.
struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = MetricName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}: a text like \"val/accuracy\"", MetricName::WORD)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<MetricName, D::Error> {
        deserializer.deserialize_string(self)
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<MetricName, E> {
        Ok(MetricName(name.to_owned()))
    }
}

impl Deref for MetricName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// As a file writes it.
impl fmt::Debug for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for MetricName {
    fn from(name: &str) -> Self {
        MetricName(name.to_owned())
    }
}

impl From<String> for MetricName {
    fn from(name: String) -> Self {
        MetricName(name)
    }
}

/// Why a metric can't be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unwatchable {
    /// The problem, and what to do.
    pub(crate) problem: String,
    /// The names that may have been meant; none when the name isn't what is wrong.
    pub(crate) known: Vec<String>,
}

/// Which direction of a metric is better, for one that is watched from validation to validation. `measures` is what val
/// and test loaders measure, under monitored names.
pub(crate) fn watched(name: &str, measures: &[Measure]) -> Result<Better, Unwatchable> {
    let measure = measures.iter().find(|measure| measure.name == name);
    let other = |problem| Err(Unwatchable { problem, known: Vec::new() });
    match measure.map(|measure| measure.better) {
        None => {
            let good = |measure: &&Measure| measure.better != Better::Neither && is_of_val(&measure.name);
            let mut known: Vec<String> = measures.iter().filter(good).map(|measure| measure.name.clone()).collect();
            // a metric of one loader is not what was meant by a name of another one
            let of = |name: &str| name.rsplit_once('/').map(|(loader, _)| loader.to_owned());
            if known.iter().any(|known| of(known) == of(name)) {
                known.retain(|known| of(known) == of(name));
            }
            let problem = format!("nothing produces `{name}`");
            match known.is_empty() {
                true => other(format!("{problem}: there is no metric to watch with a val loader")),
                false => Err(Unwatchable { problem, known }),
            }
        }
        Some(_) if !is_of_val(name) => {
            other(format!("`{name}` is not produced while training; watch a metric of a val loader"))
        }
        Some(Better::Neither) => other(format!(
            "neither high nor low values of `{name}` are better, so it has no best; watch another metric"
        )),
        Some(better) => Ok(better),
    }
}

impl Unwatchable {
    /// In one sentence, with what may have been meant.
    pub(crate) fn sentence(&self, name: &str) -> String {
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        format!("{}{}", self.problem, meant(name, &known))
    }
}

fn is_of_val(name: &str) -> bool {
    name.starts_with("val/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_that_can_not_be_watched_is_told_with_those_that_can() {
        let measures = [
            Measure::new("val/loss", Better::Lower),
            Measure::new("val/accuracy", Better::Higher),
            Measure::new("val/samples", Better::Neither),
            Measure::new("test/loss", Better::Lower),
        ];
        let refused = |name: &str| watched(name, &measures).unwrap_err().sentence(name);
        assert_eq!(watched("val/loss", &measures), Ok(Better::Lower));
        assert_eq!(refused("val/los"), "nothing produces `val/los`, did you mean `val/loss`?");
        assert_eq!(refused("iou"), "nothing produces `iou`, expected one of `val/loss`, `val/accuracy`");
        assert_eq!(refused("test/loss"), "`test/loss` is not produced while training; watch a metric of a val loader");
        assert_eq!(
            refused("val/samples"),
            "neither high nor low values of `val/samples` are better, so it has no best; watch another metric"
        );
        let none = watched("val/loss", &measures[3..]).unwrap_err();
        assert_eq!(
            none.sentence("val/loss"),
            "nothing produces `val/loss`: there is no metric to watch with a val loader"
        );
    }
}
