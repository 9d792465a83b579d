//! Means, variances and the covariance of two columns, in a form that can be merged.

use crate::base::error::Result;
use crate::base::output::Output;
use crate::base::state::{Saved, StateError, StateValue};
use crate::metric::error::{MetricError, tensor};
use crate::metric::regress::sums::numbers;
use tch::{Device, Kind, TchError, Tensor};

/// For each column of `prediction` x and `target` y: `[n, mean x, mean y, Σ(x − mean x)², Σ(y − mean y)²,
/// Σ(x − mean x)(y − mean y), Σ(x − y)²]`, a tensor `[7, columns]` in double precision on the device.
///
/// Sums of squares alone would lose all digits when a mean is large; these are merged by the formula of Chan, Golub and
/// LeVeque (1979).
#[derive(Debug, Default)]
pub(super) struct Moments(Option<Tensor>);

/// The moments of one column on the host.
pub(super) struct Column {
    pub(super) count: f64,
    pub(super) of_prediction: f64,
    pub(super) of_target: f64,
    pub(super) of_both: f64,
    pub(super) errors: f64,
}

impl Moments {
    /// Adds a batch: `prediction` and `target` `[n]` or `[n, columns]`.
    pub(super) fn update(&mut self, metric: &str, output: &Output, ignore_value: Option<f64>) -> Result<()> {
        let shape = tensor(metric, output, "prediction")?.size();
        if !matches!(shape.len(), 1 | 2) {
            let why = format!(
                "its shape is {shape:?}, expected [n] or [n, columns]; use `.flatten(0, -1)` for one value over all elements"
            );
            let (metric, tensor) = (metric.to_owned(), "prediction".to_owned());
            return Err(MetricError::Unfit { metric, tensor, why }.into());
        }
        let (prediction, target, counted) = numbers(metric, output, ignore_value)?;
        Ok(self.add(&of_batch(&prediction, &target, &counted)?)?)
    }

    /// Adds the moments of other samples.
    pub(super) fn merge(&mut self, other: Moments) -> Result<(), TchError> {
        other.0.map_or(Ok(()), |other| self.add(&other))
    }

    /// The columns. Waits for the device.
    pub(super) fn columns(&self, metric: &str) -> Result<Vec<Column>> {
        let none = || MetricError::NoBatch { metric: metric.to_owned() };
        let moments = self.0.as_ref().ok_or_else(none)?.f_to_device(Device::Cpu)?;
        let columns = Vec::<Vec<f64>>::try_from(moments.f_transpose(0, 1)?.f_contiguous()?)?;
        let column = |of: &Vec<f64>| Column {
            count: of[0],
            of_prediction: of[3],
            of_target: of[4],
            of_both: of[5],
            errors: of[6],
        };
        let columns: Vec<Column> = columns.iter().map(column).collect();
        match columns.iter().any(|column| column.count == 0.0) {
            true => Err(none().into()),
            false => Ok(columns),
        }
    }

    fn add(&mut self, other: &Tensor) -> Result<(), TchError> {
        self.0 = Some(match &self.0 {
            None => other.shallow_clone(),
            Some(own) => merged(&own.f_to_device(other.device())?, other)?,
        });
        Ok(())
    }
}

fn of_batch(prediction: &Tensor, target: &Tensor, counted: &Tensor) -> Result<Tensor, TchError> {
    let sum = |of: &Tensor| -> Result<Tensor, TchError> {
        let columns = if of.dim() == 1 { of.f_unsqueeze(1)? } else { of.shallow_clone() };
        columns.f_sum_dim_intlist(0, false, Kind::Double)
    };
    let count = sum(counted)?;
    let divisor = count.f_clamp_min(1.0)?;
    let (mean_x, mean_y) = (sum(prediction)?.f_div(&divisor)?, sum(target)?.f_div(&divisor)?);
    // what is left out is 0 in both, and counts with the factor 0
    let x = prediction.f_sub(&mean_x)?.f_mul(counted)?;
    let y = target.f_sub(&mean_y)?.f_mul(counted)?;
    let errors = prediction.f_sub(target)?;
    let products = [(&x, &x), (&y, &y), (&x, &y), (&errors, &errors)].map(|(one, other)| sum(&one.f_mul(other)?));
    let [xx, yy, xy, errors] = products;
    Tensor::f_stack(&[count, mean_x, mean_y, xx?, yy?, xy?, errors?], 0)
}

fn merged(own: &Tensor, other: &Tensor) -> Result<Tensor, TchError> {
    let row = |of: &Tensor, place: i64| of.f_select(0, place);
    let (n, m) = (row(own, 0)?, row(other, 0)?);
    let total = n.f_add(&m)?;
    let divisor = total.f_clamp_min(1.0)?;
    let (dx, dy) = (row(other, 1)?.f_sub(&row(own, 1)?)?, row(other, 2)?.f_sub(&row(own, 2)?)?);
    let part = m.f_div(&divisor)?;
    let between = n.f_mul(&part)?;
    let plus = |place: i64, term: &Tensor| row(own, place)?.f_add(&row(other, place)?)?.f_add(term);
    Tensor::f_stack(
        &[
            total,
            row(own, 1)?.f_add(&dx.f_mul(&part)?)?,
            row(own, 2)?.f_add(&dy.f_mul(&part)?)?,
            plus(3, &dx.f_mul(&dx)?.f_mul(&between)?)?,
            plus(4, &dy.f_mul(&dy)?.f_mul(&between)?)?,
            plus(5, &dx.f_mul(&dy)?.f_mul(&between)?)?,
            row(own, 6)?.f_add(&row(other, 6)?)?,
        ],
        0,
    )
}

#[diagnostic::do_not_recommend]
impl Saved for Moments {
    fn save(&self) -> StateValue {
        self.0.save()
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        Option::restore(value).map(Moments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_not_lost_when_the_mean_is_large() {
        let mut moments = Moments::default();
        for batch in [[1.0, 2.0], [3.0, 4.0]] {
            let numbers = Tensor::from_slice(&batch.map(|number| 1e9 + number));
            let output = Output::without_loss().tensor("prediction", &numbers).tensor("target", &numbers);
            moments.update("r2", &output, None).unwrap();
        }
        // Σy² is 4e18, of which 5 would be lost: doubles there are 512 apart
        let column = moments.columns("r2").unwrap().remove(0);
        assert_eq!((column.of_target, column.of_both, column.errors), (5.0, 5.0, 0.0));
    }
}
