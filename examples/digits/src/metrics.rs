//! A metric of this program's own.

use engine::metric::Total;
use engine::prelude::*;

/// The recall of the class that is recognised worst, 0 to 1: a good mean can hide one class that is always wrong.
///
/// Reads `logits` `[n, classes]` and `target` `[n]` of the step's output. Classes that do not occur do not count.
#[component(metric)]
#[derive(Debug)]
pub struct WorstClass {
    // sums that stay on the device until `compute`: an update that read them would wait for it in every batch
    /// By class, the samples that were recognised.
    #[state]
    right: Total,
    /// By class, the samples.
    #[state]
    seen: Total,
}

const NAME: &str = "worst_class";

impl Metric for WorstClass {
    fn update(&mut self, output: &Output, _batch_size: usize) -> Result<()> {
        let (Some(logits), Some(target)) = (output.get("logits"), output.get("target")) else {
            return Err(Error::msg("`WorstClass` needs the tensors `logits` and `target` in the step's output"));
        };
        let classes = Tensor::arange(logits.size2()?.1, (Kind::Int64, logits.device()));
        let target = target.unsqueeze(1); // [n, 1]
        let is_class = target.eq_tensor(&classes); // [n, classes]
        let is_right = logits.argmax(1, true).eq_tensor(&target); // [n, 1]
        self.right.add(&is_class.logical_and(&is_right).sum_dim_intlist(0, false, Kind::Int64))?;
        Ok(self.seen.add(&is_class.sum_dim_intlist(0, false, Kind::Int64))?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let (Some(right), Some(seen)) = (self.right.tensor(), self.seen.tensor()) else {
            return Err(Error::msg("`WorstClass` saw no batch"));
        };
        let (right, seen) = (Vec::<i64>::try_from(right)?, Vec::<i64>::try_from(seen)?);
        let recalls =
            right.iter().zip(seen).filter(|(_, seen)| *seen > 0).map(|(right, seen)| *right as f64 / seen as f64);
        Ok(vec![(NAME.to_owned(), recalls.fold(1.0, f64::min))])
    }

    fn reset(&mut self) {
        *self = WorstClass { right: Total::default(), seen: Total::default() };
    }

    fn merge(&mut self, mut other: engine::base::StateMap) -> Result<()> {
        self.right.merge(other.take("right")?)?;
        Ok(self.seen.merge(other.take("seen")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(NAME, Better::Higher)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::base::State as _;

    /// Two samples of class 0, both right; three of class 1, one of them right; none of class 2.
    fn parts() -> [WorstClass; 2] {
        let part = |judged: &[i64], target: &[i64]| {
            let logits = Tensor::from_slice(judged).unsqueeze(1).eq_tensor(&Tensor::from_slice(&[0i64, 1, 2]));
            let output = Output::new(Tensor::from(0.0))
                .tensor("logits", &logits.to_kind(Kind::Float))
                .tensor("target", &Tensor::from_slice(target));
            let mut metric = WorstClass { right: Total::default(), seen: Total::default() };
            metric.update(&output, target.len()).unwrap();
            metric
        };
        [part(&[0, 1, 2], &[0, 1, 1]), part(&[0, 0], &[0, 1])]
    }

    #[test]
    fn parts_merged_give_the_recall_of_the_worst_class_that_occurs() {
        let [mut whole, other] = parts();
        assert_eq!(whole.compute().unwrap()[0].1, 0.5);
        whole.merge(other.save_state()).unwrap();
        assert_eq!(whole.compute().unwrap(), [("worst_class".to_owned(), 1.0 / 3.0)]);
        whole.reset();
        assert!(whole.compute().is_err());
    }
}
