//! The mean of the loss, and what follows from it.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::error::MetricError;
use crate::metric::mean::Mean;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use tch::{TchError, Tensor};

/// The mean of the step's loss over all samples: each batch counts by its weight, which is the number of its samples
/// unless it states another one (of tokens, say). A loss that is NaN makes it NaN.
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
        let sum = weighted(self.name(), output, weight)?;
        // the mean over nothing is no number, and counts nothing
        if weight > 0.0 {
            self.mean.add(&sum, weight)?;
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

/// e to the power of the mean loss over all samples. With a cross entropy in nats as the loss it is the perplexity of
/// a language model; a batch counts by its weight. Where sequences have several lengths, that is to be their tokens: see
/// `weigh_tokens` of [`Padding`](crate::data::Padding).
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
    #[state]
    mean: Mean,
}

impl Perplexity {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("perplexity")
    }
}

#[diagnostic::do_not_recommend]
impl Metric for Perplexity {
    fn update(&mut self, output: &Output, batch_size: usize) -> Result<()> {
        let weight = output.weight().unwrap_or(batch_size as f64);
        let sum = weighted(self.name(), output, weight)?;
        // the mean over nothing is no number, and counts nothing
        if weight > 0.0 {
            self.mean.add(&sum, weight)?;
        }
        Ok(())
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(self.name().to_owned(), self.mean.read(self.name())?.exp())])
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

/// The loss times the weight of its batch, a 0-d tensor in double precision.
fn weighted(metric: &str, output: &Output, weight: f64) -> Result<Tensor> {
    let loss = output.loss()?;
    if loss.numel() != 1 {
        let why = format!("its shape is {:?}, expected one number; take `.mean(…)` of it", loss.size());
        return Err(MetricError::Unfit { metric: metric.to_owned(), tensor: "loss".to_owned(), why }.into());
    }
    let weighted = |loss: &Tensor| -> Result<Tensor, TchError> {
        loss.f_detach()?.f_reshape([0i64; 0])?.f_to_kind(tch::Kind::Double)?.f_mul_scalar(weight)
    };
    Ok(weighted(loss)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_loss() -> Box<dyn Metric> {
        Box::new(MeanLoss { name: None, mean: Mean::default() })
    }

    fn perplexity() -> Box<dyn Metric> {
        Box::new(Perplexity { name: None, mean: Mean::default() })
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
