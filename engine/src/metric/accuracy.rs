//! How often the right class is among the first.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::error::{Classified, MetricError, logits_and_target};
use crate::metric::mean::Mean;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use tch::{TchError, Tensor};

/// The share of samples whose class is among the `top_k` with the highest logits, 0 to 1.
///
/// Reads `logits` `[n, classes]` and `target` `[n]` (`Int64`) of the step's output. A sample whose logits contain NaN
/// counts as wrong. Among equal logits the choice is libtorch's.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::MetricComponent as _;
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut accuracy = Accuracy::build(&parse_text("example", "(top_k: 2)")?.read()?);
/// let logits = Tensor::from_slice2(&[[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]);
/// let target = Tensor::from_slice(&[1i64, 2]); // the second highest, and the third
/// let output = Output::new(Tensor::from(0.0)).tensor("logits", &logits).tensor("target", &target);
/// accuracy.update(&output, 2)?;
/// assert_eq!(accuracy.compute()?, [("accuracy_top2".to_owned(), 0.5)]);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct Accuracy {
    /// How many of the highest logits may hold the right class, at least 1.
    #[config(default = 1, range = 1..)]
    top_k: usize,
    /// The value's name; `accuracy`, or `accuracy_top5` for a `top_k` of 5, when it is not given.
    #[config(default)]
    name: Option<String>,
    #[state]
    correct: Mean,
}

impl Accuracy {
    fn name(&self) -> String {
        match (&self.name, self.top_k) {
            (Some(name), _) => name.clone(),
            (None, 1) => "accuracy".to_owned(),
            (None, top_k) => format!("accuracy_top{top_k}"),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Metric for Accuracy {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        let name = self.name();
        let batch = logits_and_target(&name, output)?;
        if self.top_k as i64 > batch.classes {
            let why = format!("it has {} classes, and `top_k` is {}", batch.classes, self.top_k);
            return Err(MetricError::Unfit { metric: name, tensor: "logits".to_owned(), why }.into());
        }
        Ok(self.correct.add(&correct(&batch, self.top_k as i64)?, batch.n as f64)?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let name = self.name();
        let accuracy = self.correct.read(&name)?;
        Ok(vec![(name, accuracy)])
    }

    fn reset(&mut self) {
        self.correct = Mean::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.correct.merge(other.take("correct")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name(), Better::Higher)]
    }
}

/// How many samples are right, a 0-d tensor on the logits' device.
fn correct(batch: &Classified<'_>, top_k: i64) -> Result<Tensor, TchError> {
    let (_, first) = batch.logits.f_topk(top_k, 1, true, false)?;
    let target = batch.target.f_to_device(batch.logits.device())?.f_unsqueeze(1)?;
    let hit = first.f_eq_tensor(&target)?.f_any_dim(1, false)?;
    // libtorch takes NaN for the highest value, which would make a broken model right by chance
    let broken = batch.logits.f_isnan()?.f_any_dim(1, false)?;
    hit.f_logical_and(&broken.f_logical_not()?)?.f_sum(tch::Kind::Int64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    fn output(logits: &[[f32; 3]], target: &[i64]) -> Output {
        Output::new(Tensor::from(0.0))
            .tensor("logits", &Tensor::from_slice2(logits))
            .tensor("target", &Tensor::from_slice(target))
    }

    fn accuracy(top_k: usize, batches: &[Output]) -> Box<dyn Metric> {
        let mut metric = Box::new(Accuracy { top_k, name: None, correct: Mean::default() });
        for batch in batches {
            metric.update(batch, 99).unwrap();
        }
        metric
    }

    fn batches() -> [Output; 2] {
        [output(&[[0.1, 0.7, 0.2], [0.5, 0.4, 0.1], [0.3, 0.2, 0.5]], &[1, 1, 1]), output(&[[9.0, 1.0, 8.0]], &[0])]
    }

    #[test]
    fn a_class_among_the_first_k_is_right() {
        // ranks of the right class: first, second, third, first
        assert_eq!(accuracy(1, &batches()).compute().unwrap(), [("accuracy".to_owned(), 0.5)]);
        assert_eq!(accuracy(2, &batches()).compute().unwrap(), [("accuracy_top2".to_owned(), 0.75)]);
        assert_eq!(accuracy(3, &batches()).compute().unwrap(), [("accuracy_top3".to_owned(), 1.0)]);
    }

    #[test]
    fn parts_merged_are_the_whole() {
        let whole = accuracy(1, &batches());
        let mut one = accuracy(1, &batches()[..1]);
        one.merge(accuracy(1, &batches()[1..]).save_state()).unwrap();
        one.merge(accuracy(1, &[]).save_state()).unwrap();
        assert_eq!(one.compute().unwrap(), whole.compute().unwrap());
        let mut restored = accuracy(1, &[]);
        restored.load_state(whole.save_state()).unwrap();
        assert_eq!(restored.compute().unwrap(), whole.compute().unwrap());
    }

    #[test]
    fn logits_that_are_no_numbers_are_wrong() {
        let broken = output(&[[NAN, NAN, NAN], [0.0, NAN, 0.0], [0.0, NAN, 0.0], [1.0, 0.0, 0.0]], &[0, 1, 0, 0]);
        assert_eq!(accuracy(1, &[broken]).compute().unwrap()[0].1, 0.25);
    }

    #[test]
    fn without_a_batch_there_is_no_value() {
        let mut metric = accuracy(1, &batches());
        metric.reset();
        let error = metric.compute().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(MetricError::NoBatch { .. })), "{error}");
    }

    #[test]
    fn more_places_than_classes_are_refused() {
        let error = accuracy(5, &[]).update(&batches()[0], 3).unwrap_err();
        assert!(error.to_string().ends_with("it has 3 classes, and `top_k` is 5"), "{error}");
    }
}
