//! The mean of any tensor of the output.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::error::{MetricError, pair, tensor};
use crate::metric::total::Total;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use tch::{Device, Kind, Tensor};

/// The mean of a tensor of the step's output over all its elements of all batches: one for each sample, token or pixel.
/// With `weights` each element counts by another tensor of the same shape, for example a mask of tokens that are no
/// padding.
///
/// In a mean of the means of batches, a smaller last batch would count too much; this is the mean over all elements. An
/// element with the weight 0 counts nothing, even when it is NaN; any other NaN makes the value NaN.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{MeanOf, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let text = r#"(tensor: "nll", weights: "mask", better: Lower)"#;
/// let mut mean = MeanOf::build(&parse_text("example", text)?.read()?);
/// let nll = Tensor::from_slice2(&[[1.0, 2.0], [6.0, 9.0]]);
/// let mask = Tensor::from_slice2(&[[1i64, 1], [1, 0]]);
/// mean.update(&Output::without_loss().tensor("nll", &nll).tensor("mask", &mask), 2)?;
/// assert_eq!(mean.compute()?, [("nll".to_owned(), 3.0)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct MeanOf {
    /// The tensor of the step's output.
    #[config(example = "error")]
    tensor: String,
    /// The tensor with the weights of its elements; each counts 1 when it is not given.
    #[config(default)]
    weights: Option<String>,
    /// Which direction is better.
    #[config(default = Better::Neither)]
    better: Better,
    /// The value's name, that of the tensor when it is not given.
    #[config(default)]
    name: Option<String>,
    /// `[sum, total weight]`
    #[state]
    sums: Total,
}

impl MeanOf {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.tensor)
    }
}

#[diagnostic::do_not_recommend]
impl Metric for MeanOf {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        let (sum, weight) = match &self.weights {
            None => {
                let values = tensor(self.name(), output, &self.tensor)?;
                let weight = Tensor::f_full([0i64; 0], values.numel() as f64, (Kind::Double, values.device()))?;
                (values.f_sum(Kind::Double)?, weight)
            }
            Some(weights) => {
                let (values, weights) = pair(self.name(), output, [&self.tensor, weights])?;
                let (values, weights) = (values.f_to_kind(Kind::Double)?, weights.f_to_kind(Kind::Double)?);
                let weighted = values.f_mul(&weights)?.f_masked_fill(&weights.f_eq(0)?, 0.0)?;
                (weighted.f_sum(Kind::Double)?, weights.f_sum(Kind::Double)?)
            }
        };
        Ok(self.sums.add(&Tensor::f_stack(&[sum, weight], 0)?)?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let sums = self.sums.tensor().map(|sums| sums.f_to_device(Device::Cpu)).transpose()?;
        match sums.map(Vec::<f64>::try_from).transpose()?.as_deref() {
            Some([sum, weight]) if *weight != 0.0 => Ok(vec![(self.name().to_owned(), sum / weight)]),
            _ => Err(MetricError::NoBatch { metric: self.name().to_owned() }.into()),
        }
    }

    fn reset(&mut self) {
        self.sums = Total::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.sums.merge(other.take("sums")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name(), self.better)]
    }
}
