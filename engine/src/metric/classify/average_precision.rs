//! The area under the curve of precision and recall.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::classify::per_class::Average;
use crate::metric::classify::ranked::{by_score, metric_of_ranks};
use crate::metric::kept::Kept;
use crate::metric::{Measure, Metric};
use engine_macros::component;

/// The average precision: the sum over all distinct scores of the precision there, times how much recall grows. There
/// is no interpolation, unlike in [`MeanAp`](crate::metric::MeanAp).
///
/// Reads `logits` `[n, classes, …]` with `target` `[n, …]` (`Int64`), where each class is compared with all others by
/// its probability (softmax); or, for labels that are each 1 or 0, `logits` and `target` of the same shape, `[n]`,
/// `[n, labels]` or `[n, labels, h, w]`. A class without positive samples has no value and is left out of the average;
/// without any, the value is NaN. A NaN among the logits makes the value NaN. A target that is no class is an error of
/// [`Metric::compute`], unless it is `ignore_index`. The numbers are those of scikit-learn's `average_precision_score`.
///
/// It keeps all scores until the end of the evaluation: `4 · classes + 8` bytes for each sample.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{AveragePrecision, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut precision = AveragePrecision::build(&parse_text("example", "()")?.read()?);
/// let logits = Tensor::from_slice(&[2.0, 1.0, 0.0, -1.0]);
/// let target = Tensor::from_slice(&[1i64, 0, 1, 0]);
/// let output = Output::new(Tensor::from(0.0)).tensor("logits", &logits).tensor("target", &target);
/// precision.update(&output, 4)?;
/// assert_eq!(precision.compute()?, [("average_precision".to_owned(), (1.0 + 2.0 / 3.0) / 2.0)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct AveragePrecision {
    /// How the values of the classes become one. `Micro` compares all classes of all samples with each other.
    #[config(default = Average::Macro)]
    average: Average,
    /// The number of classes: gives the value of each of them too, as `average_precision/0`, `average_precision/1`, ….
    #[config(default, range = 1..=10_000)]
    per_class: Option<usize>,
    /// The value's name, `average_precision` when it is not given.
    #[config(default)]
    name: Option<String>,
    /// Positions with this target are left out.
    #[config(default)]
    ignore_index: Option<i64>,
    /// `[m, classes]` of each batch.
    #[state]
    scores: Kept,
    /// `[m]` or `[m, labels]` of each batch.
    #[state]
    targets: Kept,
}

metric_of_ranks!(AveragePrecision, "average_precision", steps);

/// The precision at each distinct score, weighted by the positive samples that have this score.
fn steps(samples: &[(f32, bool)]) -> Option<f64> {
    let (mut positives, mut seen, mut sum) = (0.0, 0.0, 0.0);
    by_score(samples, |positive, negative| {
        (positives, seen) = (positives + positive, seen + positive + negative);
        sum += positive * (positives / seen);
    });
    (positives > 0.0).then(|| sum / positives)
}
