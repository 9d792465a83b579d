//! The coefficient of determination.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::regress::moments::Moments;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;

/// The coefficient of determination `1 − Σ(y − x)² / Σ(y − mean y)²` of targets y and predictions x: 1 is perfect, 0 as
/// good as the mean of the targets.
///
/// Reads `prediction` and `target` `[n]` or `[n, columns]` of the step's output; with several columns it is the mean of
/// their values. When all targets of a column are equal, its value is minus infinity, or NaN when the predictions are
/// equal to them. A NaN makes the value NaN. The numbers are those of scikit-learn's `r2_score`.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{R2, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut r2 = R2::build(&parse_text("example", "()")?.read()?);
/// let [prediction, target] = [[1.0, 2.0, 4.0], [1.0, 2.0, 3.0]].map(|numbers| Tensor::from_slice(&numbers));
/// let output = Output::without_loss().tensor("prediction", &prediction).tensor("target", &target);
/// r2.update(&output, 3)?;
/// assert_eq!(r2.compute()?, [("r2".to_owned(), 0.5)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct R2 {
    /// The value's name.
    #[config(default = "r2")]
    name: String,
    /// Elements with this target are left out.
    #[config(default)]
    ignore_value: Option<f64>,
    #[state]
    moments: Moments,
}

#[diagnostic::do_not_recommend]
impl Metric for R2 {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        self.moments.update(&self.name, output, self.ignore_value)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let columns = self.moments.columns(&self.name)?;
        let values = columns.iter().map(|column| 1.0 - column.errors / column.of_target);
        Ok(vec![(self.name.clone(), values.sum::<f64>() / columns.len() as f64)])
    }

    fn reset(&mut self) {
        self.moments = Moments::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.moments.merge(other.take("moments")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone(), Better::Higher)]
    }
}
