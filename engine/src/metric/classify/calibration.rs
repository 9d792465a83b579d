//! Whether a model is right as often as its probabilities say.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::StateMap;
use crate::metric::classify::read::{Scored, Targets, no_class, scored};
use crate::metric::error::MetricError;
use crate::metric::total::Total;
use crate::metric::{Better, Measure, Metric};
use engine_macros::component;
use tch::{Device, Kind, TchError, Tensor};

/// The expected calibration error (Guo and others, 2017): samples are sorted into bins by their confidence, and the
/// difference between mean confidence and accuracy of each bin is averaged, weighted by its samples.
///
/// Reads `logits` `[n, classes, …]` with `target` `[n, …]` (`Int64`): the confidence is the highest softmax
/// probability. Or `logits` and `target` (1 or 0) of one shape, `[n]` or `[n, 1, h, w]`: the confidence is the
/// probability of 1, and the accuracy is how often the target is 1. The bins have equal widths; each contains its lower
/// limit, the last one also 1. A NaN among the logits makes the value NaN. A target that is no class is an error of
/// [`Metric::compute`], unless it is `ignore_index`. The numbers are those of torchmetrics' `CalibrationError`.
///
/// ```
/// use engine::config::parse_text;
/// use engine::metric::{CalibrationError, MetricComponent as _};
/// use engine::prelude::*;
///
/// # fn main() -> Result<()> {
/// let mut error = CalibrationError::build(&parse_text("example", "()")?.read()?);
/// // four times 75 % for the first class, which is right half the time
/// let logits = Tensor::from_slice2(&[[3f64.ln(), 0.0]; 4]);
/// let target = Tensor::from_slice(&[0i64, 0, 1, 1]);
/// let output = Output::new(Tensor::from(0.0)).tensor("logits", &logits).tensor("target", &target);
/// error.update(&output, 4)?;
/// assert!((error.compute()?[0].1 - 0.25).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
#[component(metric)]
#[derive(Debug)]
pub struct CalibrationError {
    /// The number of bins between 0 and 1.
    #[config(default = 15, range = 1..=1000)]
    bins: usize,
    /// How the differences of the bins become one number.
    #[config(default = CalibrationNorm::L1)]
    norm: CalibrationNorm,
    /// The value's name.
    #[config(default = "calibration_error")]
    name: String,
    /// Positions with this target are left out.
    #[config(default)]
    ignore_index: Option<i64>,
    /// `[3, bins + 1]`: of each bin the samples, the sum of confidences, and the samples that are right. The last
    /// column has targets that are no class.
    #[state]
    bins_seen: Total,
}

/// How the differences of the bins become one number.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum CalibrationNorm {
    /// Their mean, weighted by the samples: the expected calibration error.
    L1,
    /// The square root of the weighted mean of their squares.
    L2,
    /// The largest one: the maximum calibration error.
    Max,
}

impl CalibrationError {
    fn counts(&self, scored: &Scored<'_>) -> Result<Tensor, TchError> {
        let (confidence, right, Targets { strange, ignored, .. }) = match scored {
            Scored::Classes(batch) => {
                let targets = batch.targets(self.ignore_index)?;
                let (confidence, class) = batch.logits.f_softmax(1, Kind::Double)?.f_max_dim(1, false)?;
                (confidence, class.f_eq_tensor(&targets.target)?, targets)
            }
            Scored::Labels(batch) => {
                let targets = batch.targets(self.ignore_index)?;
                (batch.logits.f_to_kind(Kind::Double)?.f_sigmoid()?, targets.target.f_eq(1)?, targets)
            }
        };
        let counted = strange.f_logical_or(&ignored)?.f_logical_not()?;
        let last = self.bins as i64 - 1;
        // NaN goes into the first bin, whose sum of confidences it makes NaN
        let place = confidence.f_mul_scalar(self.bins as f64)?.f_floor()?.f_nan_to_num(0.0, 0.0, 0.0)?;
        let place = place.f_clamp(0.0, last as f64)?;
        let [mut seen, mut sums, mut hits] = [(); 3].map(|()| Vec::with_capacity(self.bins + 1));
        for bin in 0..self.bins {
            // sums of masks: a `scatter_add` of floats depends on the order of a device's threads
            let within = place.f_eq(bin as i64)?.f_logical_and(&counted)?;
            let zero = confidence.f_zeros_like()?;
            seen.push(within.f_sum(Kind::Double)?);
            sums.push(confidence.f_where_self(&within, &zero)?.f_sum(Kind::Double)?);
            hits.push(within.f_logical_and(&right)?.f_sum(Kind::Double)?);
        }
        let nothing = confidence.f_new_zeros([0i64; 0], (Kind::Double, confidence.device()))?;
        seen.push(strange.f_sum(Kind::Double)?);
        sums.push(nothing.shallow_clone());
        hits.push(nothing);
        let rows = [seen, sums, hits].map(|row| Tensor::f_stack(&row, 0));
        let [seen, sums, hits] = rows;
        Tensor::f_stack(&[seen?, sums?, hits?], 0)
    }
}

#[diagnostic::do_not_recommend]
impl Metric for CalibrationError {
    fn update(&mut self, output: &Output, _: usize) -> Result<()> {
        let scored = scored(&self.name, output)?;
        if let Scored::Labels(batch) = &scored
            && batch.labels != 1
        {
            let why = format!("it has {} labels, expected one: several labels have no common confidence", batch.labels);
            return Err(MetricError::Unfit { metric: self.name.clone(), tensor: "logits".to_owned(), why }.into());
        }
        let counts = self.counts(&scored)?;
        Ok(self.bins_seen.add(&counts)?)
    }

    fn compute(&self) -> Result<Vec<(String, f64)>> {
        let none = || MetricError::NoBatch { metric: self.name.clone() };
        let counts = self.bins_seen.tensor().ok_or_else(none)?.f_to_device(Device::Cpu)?;
        let rows = Vec::<Vec<f64>>::try_from(counts)?;
        if rows[0][self.bins] > 0.0 {
            return Err(no_class(&self.name, rows[0][self.bins] as i64).into());
        }
        let total: f64 = rows[0].iter().sum();
        if total == 0.0 {
            return Err(none().into());
        }
        let bins = (0..self.bins).filter(|bin| rows[0][*bin] > 0.0);
        let gaps = bins.map(|bin| (rows[0][bin] / total, ((rows[1][bin] - rows[2][bin]) / rows[0][bin]).abs()));
        let value = match self.norm {
            CalibrationNorm::L1 => gaps.map(|(share, gap)| share * gap).sum(),
            CalibrationNorm::L2 => gaps.map(|(share, gap)| share * gap * gap).sum::<f64>().sqrt(),
            CalibrationNorm::Max => gaps.map(|(_, gap)| gap).fold(0.0, larger),
        };
        Ok(vec![(self.name.clone(), value)])
    }

    fn reset(&mut self) {
        self.bins_seen = Total::default();
    }

    fn merge(&mut self, mut other: StateMap) -> Result<()> {
        Ok(self.bins_seen.merge(other.take("bins_seen")?)?)
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone(), Better::Lower)]
    }
}

/// The larger number; NaN when one is NaN, which `f64::max` would hide.
fn larger(one: f64, other: f64) -> f64 {
    if one.is_nan() || other.is_nan() { f64::NAN } else { one.max(other) }
}
