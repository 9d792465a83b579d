//! The area under the receiver operating characteristic.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::classify::per_class::Average;
use crate::metric::classify::ranked::{by_score, metric_of_ranks};
use crate::metric::kept::Kept;
use crate::metric::{Measure, Metric};
use engine_macros::component;

/// The area under the ROC curve: how likely a positive sample has a higher score than a negative one. Equal scores
/// count half (Mann and Whitney, 1947).
///
/// Reads `logits` `[n, classes, …]` with `target` `[n, …]` (`Int64`), where each class is compared with all others by
/// its probability (softmax); or, for labels that are each 1 or 0, `logits` and `target` of the same shape, `[n]`,
/// `[n, labels]` or `[n, labels, h, w]`. A class without positive or without negative samples has no value and is left
/// out of the average; without any, the value is NaN. A NaN among the logits makes the value NaN. A target that is no
/// class is an error of [`Metric::compute`], unless it is `ignore_index`. The numbers are those of scikit-learn's
/// `roc_auc_score`.
///
/// It keeps all scores until the end of the evaluation: `4 · classes + 8` bytes for each sample.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{Auroc, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut auroc = Auroc::build(&parse_text("example", "()")?.read()?);
/// let logits = Tensor::from_slice(&[2.0, 1.0, 0.0, -1.0]);
/// let target = Tensor::from_slice(&[1i64, 0, 1, 0]);
/// let output = Output::new(Tensor::from(0.0)).tensor("logits", &logits).tensor("target", &target);
/// auroc.update(&output, 4)?;
/// assert_eq!(auroc.compute()?, [("auroc".to_owned(), 0.75)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct Auroc {
    /// How the values of the classes become one. `Micro` compares all classes of all samples with each other.
    #[config(default = Average::Macro)]
    average: Average,
    /// The number of classes: gives the value of each of them too, as `auroc/0`, `auroc/1`, ….
    #[config(default, range = 1..=10_000)]
    per_class: Option<usize>,
    /// The value's name, `auroc` when it is not given.
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

metric_of_ranks!(Auroc, "auroc", area);

/// The share of pairs of a positive and a negative sample that are in the right order.
fn area(samples: &[(f32, bool)]) -> Option<f64> {
    let (mut positives, mut negatives, mut right) = (0.0, 0.0, 0.0);
    by_score(samples, |positive, negative| {
        right += negative * (positives + positive / 2.0);
        (positives, negatives) = (positives + positive, negatives + negative);
    });
    (positives > 0.0 && negatives > 0.0).then(|| right / (positives * negatives))
}
