//! Metrics: sums and counts that can be merged, and that are read once at the end.
//!
//! Promised: a metric over all data equals the merged metrics of its parts, and the parts can be batches or processes.
//! A metric declares its values, and which direction is better, before anything is computed. A NaN stays visible in
//! the result and does not disappear in a mean.
//!
//! Never: [`Metric::update`] does not read from the device; only [`Metric::compute`] does.

mod classify;
mod detect;
mod error;
#[cfg(test)]
mod every_metric;
mod kept;
mod loss;
mod mean;
mod mean_of;
mod name;
mod regress;
mod text;
mod total;

pub use classify::{
    Accuracy, Auroc, Average, AveragePrecision, CalibrationError, CalibrationNorm, ConfusionMatrix, Dice, FBeta,
    MeanIou, Precision, Recall,
};
pub use detect::MeanAp;
pub use error::MetricError;
pub use kept::Kept;
pub use loss::{MeanLoss, Perplexity};
pub use mean::Mean;
pub use mean_of::MeanOf;
pub(crate) use name::watched;
pub use regress::{Mae, Mse, Pearson, R2, Rmse};
pub use text::{Bleu, TextUnit, WordErrorRate};
pub use total::Total;

pub use crate::base::{Better, MetricName};

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::{State, StateMap};
use serde::Serialize;
use std::fmt::Debug;

/// Something measured over a whole pass of validation, test or training.
///
/// Its settings come from the experiment file. Its `#[state]` is saved in checkpoints.
///
/// ```
/// use engine::metric::Mean;
/// use engine::prelude::*;
///
/// /// The mean distance between `prediction` and `target`, both `[n]`.
/// #[component(metric)]
/// #[derive(Debug)]
/// pub struct MeanAbsoluteError {
///     #[config(default = "mae")]
///     name: String,
///     #[state]
///     error: Mean,
/// }
///
/// impl Metric for MeanAbsoluteError {
///     fn update(&mut self, output: &Output, batch_size: usize) -> Result<()> {
///         let tensor = |name: &str| output.get(name).ok_or_else(|| Error::msg(format!("the output lacks `{name}`")));
///         let distance = (tensor("prediction")? - tensor("target")?).abs();
///         Ok(self.error.add(&distance.sum(Kind::Double), batch_size as f64)?)
///     }
///     fn compute(&self) -> Result<Vec<(String, f64)>> {
///         Ok(vec![(self.name.clone(), self.error.read(&self.name)?)])
///     }
///     fn reset(&mut self) {
///         self.error = Mean::default();
///     }
///     fn merge(&mut self, mut other: StateMap) -> Result<()> {
///         Ok(self.error.merge(other.take("error")?)?)
///     }
///     fn measures(&self) -> Vec<Measure> {
///         vec![Measure::new(self.name.clone(), Better::Lower)]
///     }
/// }
///
/// # fn main() -> Result<()> {
/// // as a test of it would go
/// use engine::metric::MetricComponent as _;
/// let mut mae = MeanAbsoluteError::build(&engine::config::parse_text("example", "()")?.read()?);
/// let [prediction, target] = [[1.0, 2.0], [1.5, 2.0]].map(|numbers| Tensor::from_slice(&numbers));
/// let output = Output::new(Tensor::from(0.0)).tensor("prediction", &prediction).tensor("target", &target);
/// mae.update(&output, 2)?;
/// assert_eq!(mae.compute()?, [("mae".to_owned(), 0.25)]);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric",
    label = "this type does not implement `Metric`",
    note = "implement `engine::metric::Metric` for `{Self}`: `update` takes in a batch, `compute` gives the values, `measures` declares them"
)]
pub trait Metric: State + Debug + Send {
    /// Updates the metric with the output of one step over `batch_size` samples. For a mean of the loss, use
    /// [`Output::weight`], which may be a number of tokens.
    ///
    /// # Errors
    /// When the output lacks a tensor, or one has the wrong shape.
    fn update(&mut self, output: &Output, batch_size: usize) -> Result<()>;

    /// Returns the values so far, with the names that [`Metric::measures`] declares. Waits for the device.
    ///
    /// # Errors
    /// When there was no batch.
    fn compute(&self) -> Result<Vec<(String, f64)>>;

    /// Resets the metric to its initial state.
    fn reset(&mut self);

    /// Adds the state of another metric with the same settings, for example one saved by another process.
    ///
    /// # Errors
    /// When the state is not from such a metric.
    fn merge(&mut self, other: StateMap) -> Result<()>;

    /// Matrices that are recorded after [`Metric::compute`] as a table and a picture, for example the counts of a
    /// [`ConfusionMatrix`]. The default is none. Waits for the device.
    ///
    /// # Errors
    /// As [`Metric::compute`].
    fn shown(&self) -> Result<Vec<Matrix>> {
        Ok(Vec::new())
    }

    /// Called when an evaluation of a loader is over and its last phase has run. A metric whose state grows with the
    /// data, such as [`Kept`], drops it here, so that no checkpoint contains it. The default does nothing, so that the
    /// trainer can read the metric until the next evaluation.
    fn release(&mut self) {}

    /// The values that this metric computes. They are known before anything is computed, so that the name of a watched
    /// metric can be checked when the experiment is read.
    fn measures(&self) -> Vec<Measure>;
}

/// Counts that a metric shows besides its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The name under which it is recorded.
    pub name: String,
    /// What rows and columns are: the heading of the first column.
    pub corner: String,
    /// The names of the rows, and of the columns.
    pub labels: Vec<String>,
    /// The counts, row by row.
    pub counts: Vec<Vec<i64>>,
}

/// A value that a metric computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name without the phase: `accuracy`. Its monitored name is `val/accuracy`.
    pub name: String,
    /// Which direction is better.
    pub better: Better,
}

impl Measure {
    /// A value with this name.
    pub fn new(name: impl Into<String>, better: Better) -> Self {
        Measure { name: name.into(), better }
    }
}

/// A struct under `#[component(metric)]`: its settings, and how it is built from them.
pub trait MetricComponent: AnyMetric + Sized {
    /// The name in experiment files.
    const NAME: &'static str;
    /// The `#[config]` fields.
    type Config: MetricConfig + Clone + Debug + Serialize + serde::de::DeserializeOwned + 'static;

    /// The metric with these settings; `#[state]` and `#[transient]` fields have their `Default`.
    fn build(config: &Self::Config) -> Self;
}

/// Blanket helper, so that a missing [`Metric`] impl is reported once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric",
    label = "this type does not implement `Metric`",
    note = "implement `engine::metric::Metric` for `{Self}`: `update` takes in a batch, `compute` gives the values, `measures` declares them"
)]
pub trait AnyMetric {
    /// The metric.
    fn as_metric(&mut self) -> &mut dyn Metric;
    /// The metric in a box.
    fn boxed(self) -> Box<dyn Metric>;
}

#[diagnostic::do_not_recommend]
impl<M: Metric + 'static> AnyMetric for M {
    fn as_metric(&mut self) -> &mut dyn Metric {
        self
    }
    fn boxed(self) -> Box<dyn Metric> {
        Box::new(self)
    }
}

/// The settings of a metric, chosen by name in the experiment file.
#[typetag::serde]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the settings of a metric",
    label = "this type does not implement `MetricConfig`"
)]
pub trait MetricConfig: Debug + Send + Sync {
    /// A new metric with these settings.
    fn build_metric(&self) -> Box<dyn Metric>;
}

/// [`MetricConfig::build_metric`] of a metric.
pub fn build_metric<M: MetricComponent>(config: &M::Config) -> Box<dyn Metric> {
    M::build(config).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_chosen_and_set_by_the_file() {
        let read = |text: &str| ron::from_str::<Box<dyn MetricConfig>>(text);
        let config = read(r#"{"Accuracy": (top_k: 5)}"#).unwrap();
        assert_eq!(config.build_metric().measures(), [Measure::new("accuracy_top5", Better::Higher)]);
        assert_eq!(
            read(&ron::to_string(&config).unwrap()).unwrap().build_metric().measures(),
            config.build_metric().measures()
        );
        assert_eq!(read(r#"{"Perplexity": ()}"#).unwrap().build_metric().measures()[0].better, Better::Lower);
        assert!(read(r#"{"Accuracy": (topk: 5)}"#).unwrap_err().to_string().contains("topk"));
        let zero = read(r#"{"Accuracy": (top_k: 0)}"#).unwrap_err();
        assert!(zero.to_string().contains("`top_k` must be in 1..=1_000_000, got 0"), "{zero}");
    }

    #[test]
    fn a_value_that_is_no_number_is_never_the_best() {
        assert!(Better::Higher.is_better(0.5, 0.4, 0.0) && !Better::Higher.is_better(0.5, 0.4, 0.2));
        assert!(Better::Lower.is_better(0.4, 0.5, 0.0) && !Better::Lower.is_better(0.5, 0.5, 0.0));
        assert!(!Better::Lower.is_better(f64::NAN, 0.5, 0.0) && Better::Lower.is_better(0.5, f64::NAN, 0.0));
        assert!(!Better::Neither.is_better(1.0, 0.0, 0.0));
    }
}
