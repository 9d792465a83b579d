//! How often the right class is among the classes with the highest logits.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::classify::read::{Classified, Targets, classified, no_class};
use crate::metric::error::MetricError;
use crate::metric::total::Total;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use tch::{Kind, TchError, Tensor};

/// The share of samples whose class is among the `top_k` with the highest logits, 0 to 1.
///
/// Reads `logits` `[n, classes, …]` and `target` `[n, …]` (`Int64`) of the step's output; the pixels of a segmentation
/// are samples too. When classes have equal logits, the one with the lowest index comes first, as in
/// [`ConfusionMatrix`](crate::metric::ConfusionMatrix), on every device. A sample whose logits contain NaN counts as
/// wrong. A target that is not a class is an error of [`Metric::compute`], unless it is `ignore_index`.
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
    /// How many of the highest logits may hold the right class, at least 1 and at most the number of classes.
    #[config(default = 1, range = 1..=1_000_000)]
    top_k: usize,
    /// The value's name; `accuracy`, or `accuracy_top5` for a `top_k` of 5, when it is not given.
    #[config(default)]
    name: Option<String>,
    /// Samples with this target are left out: -100, say, for positions that are padding.
    #[config(default)]
    ignore_index: Option<i64>,
    /// `[right, counted, no class]`: so that nothing must be read to check the targets.
    #[state]
    counts: Total,
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
        let batch = classified(&name, output)?;
        if self.top_k as i64 > batch.classes {
            let why = format!("it has {} classes, fewer than `top_k`, which is {}", batch.classes, self.top_k);
            return Err(MetricError::Unfit { metric: name, tensor: "logits".to_owned(), why }.into());
        }
        Ok(self.counts.add(&counts(&batch, self.top_k as i64, self.ignore_index)?)?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let name = self.name();
        let counts = self.counts.tensor().map(|counts| counts.f_to_device(tch::Device::Cpu)).transpose()?;
        let counts = counts.map(Vec::<i64>::try_from).transpose()?.unwrap_or_else(|| vec![0; 3]);
        match counts[..] {
            [_, _, strange] if strange > 0 => Err(no_class(&name, strange).into()),
            [right, counted, _] if counted > 0 => Ok(vec![(name, right as f64 / counted as f64)]),
            _ => Err(MetricError::NoBatch { metric: name }.into()),
        }
    }

    fn reset(&mut self) {
        self.counts = Total::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.counts.merge(other.take("counts")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name(), Better::Higher)]
    }
}

/// `[right, counted, no class]` of one batch, on the logits' device.
fn counts(batch: &Classified<'_>, top_k: i64, ignore_index: Option<i64>) -> Result<Tensor, TchError> {
    let logits = batch.logits;
    let Targets { target, strange, ignored } = batch.targets(ignore_index)?;
    let no_class = strange.f_logical_or(&ignored)?;
    let target = target.f_masked_fill(&no_class, 0)?.f_unsqueeze(1)?;
    // the classes that come before the right one: those with a higher logit, and equal ones with a lower index
    let right = logits.f_gather(1, &target, false)?;
    let equal_before = logits.f_eq_tensor(&right)?.f_logical_and(&batch.indices()?.f_lt_tensor(&target)?)?;
    let before = logits.f_gt_tensor(&right)?.f_logical_or(&equal_before)?.f_sum_dim_intlist(1, false, Kind::Int64)?;
    // nothing is higher than NaN, which would make a broken model right by chance
    let broken = logits.f_isnan()?.f_any_dim(1, false)?;
    let counted = no_class.f_logical_not()?;
    let hit = before.f_lt(top_k)?.f_logical_and(&broken.f_logical_not()?)?.f_logical_and(&counted)?;
    let sums = [hit, counted, strange].map(|which| which.f_sum(Kind::Int64));
    let [hit, counted, strange] = sums;
    Tensor::f_stack(&[hit?, counted?, strange?], 0)
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
        let mut metric = Box::new(Accuracy { top_k, name: None, ignore_index: None, counts: Total::default() });
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
    fn of_equal_logits_the_class_with_the_lowest_index_comes_first() {
        let tied = output(&[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 2.0, 2.0], [0.0, 2.0, 2.0]], &[0, 1, 1, 2]);
        assert_eq!(accuracy(1, &[tied]).compute().unwrap()[0].1, 0.5);
        let tied = output(&[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], &[0, 1, 2]);
        assert_eq!(accuracy(2, &[tied]).compute().unwrap()[0].1, 2.0 / 3.0);
    }

    #[test]
    fn a_target_that_is_no_class_is_told_and_one_to_be_ignored_is_left_out() {
        let batch = || output(&[[9.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 9.0]], &[0, 0, -100]);
        let error = accuracy(1, &[batch()]).compute().unwrap_err().to_string();
        assert!(error.starts_with("metric `accuracy`: 1 targets are not a class"), "{error}");
        let new = || Accuracy { top_k: 1, name: None, ignore_index: Some(-100), counts: Total::default() };
        let mut ignoring = new();
        ignoring.update(&batch(), 3).unwrap();
        assert_eq!(ignoring.compute().unwrap()[0].1, 0.5);
        let mut none = new();
        none.update(&output(&[[1.0, 0.0, 0.0]], &[-100]), 1).unwrap();
        assert!(none.compute().unwrap_err().to_string().contains("saw no batch"));
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
        assert!(error.to_string().ends_with("it has 3 classes, fewer than `top_k`, which is 5"), "{error}");
    }
}
