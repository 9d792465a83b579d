//! The Dice coefficient.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::classify::per_class::{Average, Class, metric_per_class, ratio};
use crate::metric::total::Total;
use crate::metric::{Measure, Metric};
use engine_macros::component;

/// The Dice coefficient `2 · |A ∩ B| / (|A| + |B|)` of target and prediction, for each class over all pixels of all
/// samples, averaged over the classes. It is F1 under the name that segmentation uses.
///
/// Reads `logits` `[n, classes, …]` with `target` `[n, …]` (`Int64`), where the class with the highest logit is
/// predicted and the lowest one among equals; or, for labels that are each 1 or 0, `logits` and `target` of the same
/// shape, `[n]`, `[n, labels]` or `[n, labels, h, w]`, where a label is predicted when the sigmoid of its logit is
/// above `threshold`. A logit that is NaN predicts nothing. A target that is no class is an error of
/// [`Metric::compute`], unless it is `ignore_index`. The numbers are those of scikit-learn's `f1_score`.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{Dice, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut dice = Dice::build(&parse_text("example", "()")?.read()?);
/// let logits = Tensor::from_slice2(&[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]); // 0, 0, 1, 0
/// let target = Tensor::from_slice(&[0i64, 0, 1, 1]);
/// let output = Output::new(Tensor::from(0.0)).tensor("logits", &logits).tensor("target", &target);
/// dice.update(&output, 4)?;
/// assert_eq!(dice.compute()?[0], ("dice".to_owned(), (0.8 + 2.0 / 3.0) / 2.0));
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct Dice {
    /// How the values of the classes become one.
    #[config(default = Average::Macro)]
    average: Average,
    /// The number of classes: gives the value of each of them too, as `dice/0`, `dice/1`, …; NaN for a class that never
    /// occurs.
    #[config(default, range = 1..=10_000)]
    per_class: Option<usize>,
    /// The probability above which a label is predicted; without effect for classes.
    #[config(default = 0.5, range = 0.0..=1.0)]
    threshold: f64,
    /// The value's name, `dice` when it is not given.
    #[config(default)]
    name: Option<String>,
    /// Positions with this target are left out.
    #[config(default)]
    ignore_index: Option<i64>,
    /// `[3, classes + 1]`: hits, predictions and targets of each class, and what belongs to no class.
    #[state]
    counts: Total,
}

metric_per_class!(Dice, self => "dice".to_owned(), |class: &Class| {
    ratio(2.0 * class.hits as f64, (class.predictions + class.targets) as f64)
});
