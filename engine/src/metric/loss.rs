//! The mean of the loss, and the perplexity.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::error::{MetricError, tensor};
use crate::metric::mean::Mean;
use crate::metric::total::Total;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use tch::{Device, Kind, Tensor};

/// The mean of the step's loss over all samples. Each batch counts by its weight: the number of its samples, or the
/// weight that it states, for example the number of tokens. A loss that is NaN makes the mean NaN.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::MetricComponent as _;
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut loss = MeanLoss::build(&parse_text("example", "()")?.read()?);
/// loss.update(&Tensor::from(1.0).into(), 3)?; // the mean over three samples
/// loss.update(&Tensor::from(5.0).into(), 1)?;
/// assert_eq!(loss.compute()?, [("loss".to_owned(), 2.0)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct MeanLoss {
    /// The value's name, `loss` when it is not given.
    #[config(default)]
    name: Option<String>,
    #[state]
    mean: Mean,
}

impl MeanLoss {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("loss")
    }
}

#[diagnostic::do_not_recommend]
impl Metric for MeanLoss {
    fn update(&mut self, output: &Output, batch_size: usize) -> Result<()> {
        let weight = output.weight().unwrap_or(batch_size as f64);
        let loss = loss(self.name(), output)?;
        // the mean over nothing is no number, and counts nothing
        if weight > 0.0 {
            self.mean.add_mean(loss, weight)?;
        }
        Ok(())
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(self.name().to_owned(), self.mean.read(self.name())?)])
    }

    fn reset(&mut self) {
        self.mean = Mean::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.mean.merge(other.take("mean")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name(), Better::Lower)]
    }
}

/// e to the power of the mean loss over all samples. When the loss is a cross entropy in nats, this is the perplexity
/// of a language model. Each batch counts by its weight. When sequences have different lengths, the weight must be the
/// number of tokens: see `weigh_tokens` of [`Padding`](crate::data::Padding). With `ignore_index`, the weight of a
/// batch is only the number of elements of the tensor `target` (`Int64`, of any shape) of the step's output that are
/// not this number: `cross_entropy(…, ignore_index)` computes its mean over the same elements.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::MetricComponent as _;
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut perplexity = Perplexity::build(&parse_text("example", "()")?.read()?);
/// // a model that finds 50 characters equally likely
/// perplexity.update(&Tensor::from(50f64.ln()).into(), 8)?;
/// assert!((perplexity.compute()?[0].1 - 50.0).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct Perplexity {
    /// The value's name, `perplexity` when it is not given.
    #[config(default)]
    name: Option<String>,
    /// The target that the loss leaves out: -100, say, for positions that are padding.
    #[config(default)]
    ignore_index: Option<i64>,
    #[state]
    mean: Mean,
    /// With `ignore_index`, `[sum of losses, targets that count]`, so that nothing must be read to count them.
    #[state]
    counted: Total,
}

impl Perplexity {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("perplexity")
    }

    /// `[sum of losses, targets that count]` of one batch.
    fn counted(&self, output: &Output, ignore_index: i64) -> Result<Tensor> {
        let mean = loss(self.name(), output)?.f_detach()?.f_reshape([0i64; 0])?.f_to_kind(Kind::Double)?;
        let target = tensor(self.name(), output, "target")?;
        if target.kind() != Kind::Int64 {
            let (metric, tensor) = (self.name().to_owned(), "target".to_owned());
            let why = format!("its kind is {:?}, expected Int64", target.kind());
            return Err(MetricError::Unfit { metric, tensor, why }.into());
        }
        let count = target.f_ne(ignore_index)?.f_sum(Kind::Double)?.f_to_device(mean.device())?;
        // the mean over nothing is no number, and counts nothing
        let sum = mean.f_mul(&count)?.f_masked_fill(&count.f_eq(0)?, 0.0)?;
        Ok(Tensor::f_stack(&[sum, count], 0)?)
    }
}

#[diagnostic::do_not_recommend]
impl Metric for Perplexity {
    fn update(&mut self, output: &Output, batch_size: usize) -> Result<()> {
        if let Some(ignore_index) = self.ignore_index {
            let counted = self.counted(output, ignore_index)?;
            return Ok(self.counted.add(&counted)?);
        }
        let weight = output.weight().unwrap_or(batch_size as f64);
        let loss = loss(self.name(), output)?;
        // the mean over nothing is no number, and counts nothing
        if weight > 0.0 {
            self.mean.add_mean(loss, weight)?;
        }
        Ok(())
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let mean = match (self.ignore_index, self.counted.tensor()) {
            (None, _) => self.mean.read(self.name())?,
            (Some(_), counted) => {
                let counted = counted.map(|counted| counted.f_to_device(Device::Cpu)).transpose()?;
                match counted.map(Vec::<f64>::try_from).transpose()?.as_deref() {
                    Some([sum, count]) if *count > 0.0 => sum / count,
                    _ => return Err(MetricError::NoBatch { metric: self.name().to_owned() }.into()),
                }
            }
        };
        Ok(vec![(self.name().to_owned(), mean.exp())])
    }

    fn reset(&mut self) {
        self.mean = Mean::default();
        self.counted = Total::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        self.counted.merge(other.take("counted")?)?;
        Ok(self.mean.merge(other.take("mean")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name(), Better::Lower)]
    }
}

/// The loss, which must be one number.
fn loss<'a>(metric: &str, output: &'a Output) -> Result<&'a Tensor> {
    let loss = output.loss()?;
    if loss.numel() != 1 {
        let why = format!("its shape is {:?}, expected one number; reduce it with `.mean(…)`", loss.size());
        return Err(MetricError::Unfit { metric: metric.to_owned(), tensor: "loss".to_owned(), why }.into());
    }
    Ok(loss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::state::State as _;

    fn mean_loss() -> Box<dyn Metric> {
        Box::new(MeanLoss { name: None, mean: Mean::default() })
    }

    fn perplexity() -> Box<dyn Metric> {
        Box::new(Perplexity { name: None, ignore_index: None, mean: Mean::default(), counted: Total::default() })
    }

    fn fed(mut metric: Box<dyn Metric>, losses: &[(f32, usize)]) -> Box<dyn Metric> {
        for (loss, batch_size) in losses {
            metric.update(&Output::new(Tensor::from(*loss)), *batch_size).unwrap();
        }
        metric
    }

    fn value(metric: &dyn Metric) -> f64 {
        metric.compute().unwrap()[0].1
    }

    #[test]
    fn a_smaller_batch_counts_less() {
        // (2 × 4 + 5 × 1) / 5
        assert_eq!(value(fed(mean_loss(), &[(2.0, 4), (5.0, 1)]).as_ref()), 2.6);
        let fed = fed(perplexity(), &[(1.0, 1), (3.0, 1)]);
        assert_eq!(value(fed.as_ref()), 2f64.exp());
    }

    #[test]
    fn a_batch_counts_by_the_weight_that_it_states() {
        let mut metric = mean_loss();
        // means over 30 and over 10 tokens, of two sequences each
        metric.update(&Output::new(Tensor::from(1.0)).weighing(30.0), 2).unwrap();
        metric.update(&Output::new(Tensor::from(3.0)).weighing(10.0), 2).unwrap();
        assert_eq!(value(metric.as_ref()), 1.5);
        // a batch of padding alone has no loss that counts, whatever the others say
        metric.update(&Output::new(Tensor::from(f64::NAN)).weighing(0.0), 2).unwrap();
        assert_eq!(value(metric.as_ref()), 1.5);
    }

    #[test]
    fn a_perplexity_with_an_ignored_target_is_of_the_mean_over_all_others() {
        let ignoring =
            || Perplexity { name: None, ignore_index: Some(-100), mean: Mean::default(), counted: Total::default() };
        let output = |loss: f64, target: &[i64]| {
            Output::new(Tensor::from(loss)).tensor("target", &Tensor::from_slice(target)).weighing(99.0)
        };
        let mut metric = ignoring();
        metric.update(&output(1.0, &[3, 4, 5]), 3).unwrap();
        metric.update(&output(5.0, &[6, -100, -100]), 3).unwrap();
        // nothing counts in this one, so its loss is the mean over nothing
        metric.update(&output(f64::NAN, &[-100]), 1).unwrap();
        assert_eq!(value(&metric), 2f64.exp());
        let mut whole = ignoring();
        whole.merge(metric.save_state()).unwrap();
        assert_eq!(value(&whole), value(&metric));
        assert!(ignoring().compute().unwrap_err().to_string().contains("saw no batch"));
    }

    #[test]
    fn parts_merged_are_the_whole() {
        for new in [mean_loss, perplexity] {
            let whole = fed(new(), &[(0.5, 4), (1.5, 4), (2.25, 3)]);
            let mut one = fed(new(), &[(0.5, 4)]);
            one.merge(fed(new(), &[(1.5, 4), (2.25, 3)]).save_state()).unwrap();
            one.merge(new().save_state()).unwrap();
            assert_eq!(value(one.as_ref()), value(whole.as_ref()));
            let mut restored = new();
            restored.load_state(whole.save_state()).unwrap();
            assert_eq!(value(restored.as_ref()), value(whole.as_ref()));
        }
    }

    #[test]
    fn a_loss_that_is_no_number_is_not_hidden() {
        assert!(value(fed(mean_loss(), &[(1.0, 4), (f32::NAN, 4)]).as_ref()).is_nan());
        assert!(value(fed(perplexity(), &[(f32::NAN, 4)]).as_ref()).is_nan());
        assert_eq!(value(fed(perplexity(), &[(f32::INFINITY, 4)]).as_ref()), f64::INFINITY);
    }

    #[test]
    fn without_a_batch_there_is_no_value() {
        let named = MeanLoss { name: Some("nats".into()), mean: Mean::default() };
        let mut metric = fed(Box::new(named), &[(1.0, 1)]);
        metric.reset();
        let error = metric.compute().unwrap_err();
        assert!(error.to_string().starts_with("metric `nats` has no value"), "{error}");
        assert_eq!(metric.measures(), [Measure::new("nats", Better::Lower)]);
    }

    #[test]
    fn a_loss_of_several_numbers_is_refused() {
        let mut metric = mean_loss();
        let error = metric.update(&Output::new(Tensor::from_slice(&[1.0, 2.0])), 2).unwrap_err();
        assert!(error.to_string().contains("its shape is [2], expected one number"), "{error}");
        metric.update(&Output::new(Tensor::from_slice(&[1.0])), 2).unwrap();
        metric.update(&Output::new(Tensor::from(2.0)), 2).unwrap();
        assert_eq!(value(metric.as_ref()), 1.5);
    }
}
