//! Means of errors over all elements.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::metric::error::{MetricError, pair};
use crate::metric::total::Total;
use tch::{Device, Kind, TchError, Tensor};

/// `prediction` and `target` of one shape in double precision, and which elements count (1) or not (0).
pub(super) fn numbers(
    metric: &str,
    output: &Output,
    ignore_value: Option<f64>,
) -> Result<(Tensor, Tensor, Tensor), MetricError> {
    let (prediction, target) = pair(metric, output, ["prediction", "target"])?;
    let read = || -> Result<(Tensor, Tensor, Tensor), TchError> {
        let [prediction, target] = [&prediction, &target].map(|tensor| tensor.f_to_kind(Kind::Double));
        let (prediction, target) = (prediction?, target?);
        let ignored = match ignore_value {
            Some(value) => target.f_eq(value)?,
            None => target.f_zeros_like()?.f_to_kind(Kind::Bool)?,
        };
        // 0 and 0, so that a NaN at a place that is left out counts nothing
        let (prediction, target) = (prediction.f_masked_fill(&ignored, 0.0)?, target.f_masked_fill(&ignored, 0.0)?);
        Ok((prediction, target, ignored.f_logical_not()?.f_to_kind(Kind::Double)?))
    };
    read().map_err(|error| MetricError::Unfit {
        metric: metric.to_owned(),
        tensor: "prediction".to_owned(),
        why: error.to_string(),
    })
}

/// Adds `[sum of errors, elements that count]`, where `error` is given the differences.
pub(super) fn add(
    sums: &mut Total,
    (metric, ignore_value): (&str, Option<f64>),
    output: &Output,
    error: impl Fn(&Tensor) -> Result<Tensor, TchError>,
) -> Result<()> {
    let (prediction, target, counted) = numbers(metric, output, ignore_value)?;
    let errors = error(&prediction.f_sub(&target)?)?;
    Ok(sums.add(&Tensor::f_stack(&[errors.f_sum(Kind::Double)?, counted.f_sum(Kind::Double)?], 0)?)?)
}

/// The mean error. Waits for the device.
pub(super) fn mean(sums: &Total, metric: &str) -> Result<f64> {
    let sums = sums.tensor().map(|sums| sums.f_to_device(Device::Cpu)).transpose()?;
    match sums.map(Vec::<f64>::try_from).transpose()?.as_deref() {
        Some([sum, count]) if *count > 0.0 => Ok(sum / count),
        _ => Err(MetricError::NoBatch { metric: metric.to_owned() }.into()),
    }
}
