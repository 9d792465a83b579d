//! The root of the mean squared error.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::regress::sums;
use crate::metric::total::Total;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;

/// The square root of the mean squared error between `prediction` and `target` over all elements of all batches.
///
/// Both are tensors of the step's output, of one shape, whichever it is. The value has the unit of the target. The root
/// is taken once, at the end: it is not the mean of the roots of the batches. A NaN makes the value NaN.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{Rmse, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut rmse = Rmse::build(&parse_text("example", "()")?.read()?);
/// let [prediction, target] = [[1.0, 4.0], [1.0, 2.0]].map(|numbers| Tensor::from_slice(&numbers));
/// let output = Output::without_loss().tensor("prediction", &prediction).tensor("target", &target);
/// rmse.update(&output, 2)?;
/// assert_eq!(rmse.compute()?, [("rmse".to_owned(), 2f64.sqrt())]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct Rmse {
    /// The value's name.
    #[config(default = "rmse")]
    name: String,
    /// Elements with this target are left out: 0, say, where a depth was not measured.
    #[config(default)]
    ignore_value: Option<f64>,
    /// `[sum of errors, elements]`
    #[state]
    sums: Total,
}

#[diagnostic::do_not_recommend]
impl Metric for Rmse {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        sums::add(&mut self.sums, (&self.name, self.ignore_value), output, |difference| difference.f_mul(difference))
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(self.name.clone(), sums::mean(&self.sums, &self.name)?.sqrt())])
    }

    fn reset(&mut self) {
        self.sums = Total::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.sums.merge(other.take("sums")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone(), Better::Lower)]
    }
}
