//! The correlation of predictions and targets.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::regress::moments::Moments;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;

/// Pearson's correlation coefficient of predictions and targets, from −1 to 1.
///
/// Reads `prediction` and `target` `[n]` or `[n, columns]` of the step's output; with several columns it is the mean of
/// their values. When all predictions or all targets of a column are equal, the value is NaN. A NaN makes the value
/// NaN. The numbers are those of SciPy's `pearsonr`.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{Pearson, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut pearson = Pearson::build(&parse_text("example", "()")?.read()?);
/// let [prediction, target] = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]].map(|numbers| Tensor::from_slice(&numbers));
/// let output = Output::without_loss().tensor("prediction", &prediction).tensor("target", &target);
/// pearson.update(&output, 3)?;
/// assert_eq!(pearson.compute()?, [("pearson".to_owned(), 1.0)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct Pearson {
    /// The value's name.
    #[config(default = "pearson")]
    name: String,
    /// Elements with this target are left out.
    #[config(default)]
    ignore_value: Option<f64>,
    #[state]
    moments: Moments,
}

#[diagnostic::do_not_recommend]
impl Metric for Pearson {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        self.moments.update(&self.name, output, self.ignore_value)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let columns = self.moments.columns(&self.name)?;
        let values = columns.iter().map(|column| column.of_both / (column.of_prediction * column.of_target).sqrt());
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
