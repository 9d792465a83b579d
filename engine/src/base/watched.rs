//! The name of a metric that is watched during a training, and which direction of a value is better.

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

/// Which direction of a value is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Better {
    /// Higher is better, as for an accuracy.
    Higher,
    /// Lower is better, as for a loss.
    Lower,
    /// Neither: the value is shown, but it can't be used to keep a best checkpoint.
    Neither,
}

impl Better {
    /// True when `new` is better than `old` by more than `by`. A NaN is never better, and every number is better than
    /// a NaN.
    ///
    /// ```
    /// use engine::metric::Better;
    ///
    /// assert!(Better::Higher.is_better(0.92, 0.90, 0.0));
    /// assert!(!Better::Higher.is_better(0.92, 0.90, 0.05)); // not by enough
    /// assert!(Better::Lower.is_better(0.3, f64::NAN, 0.0));
    /// assert!(!Better::Lower.is_better(f64::NAN, 0.3, 0.0));
    /// ```
    pub fn is_better(self, new: f64, old: f64, by: f64) -> bool {
        let better = match self {
            Better::Higher => new > old + by,
            Better::Lower => new < old - by,
            Better::Neither => return false,
        };
        better || (old.is_nan() && !new.is_nan())
    }
}
