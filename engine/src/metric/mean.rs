//! A weighted mean that can be merged with others.

use crate::base::error::Result;
use crate::base::state::{Saved, StateError, StateMap, StateValue};
use crate::metric::error::MetricError;
use crate::metric::total::Total;
use crate::native::host_number;
use tch::{Kind, TchError, Tensor};

/// A sum on the device and its total weight: the number of samples, tokens or other units over which the mean is
/// taken.
///
/// ```
/// use engine::metric::Mean;
/// use tch::Tensor;
///
/// let mut mean = Mean::default();
/// mean.add(&Tensor::from(6.0), 3.0)?; // the sum over three samples
/// mean.add_mean(&Tensor::from(2.0), 1.0)?; // the mean over one sample
/// assert_eq!(mean.read("error")?, 2.0);
/// let error = Mean::default().read("error").unwrap_err();
/// assert!(error.to_string().starts_with("metric `error` has no value"));
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Mean {
    sum: Total,
    /// The sum of what lay on the host: added as plain numbers, which takes no operator of libtorch.
    host: f64,
    seen: f64,
}

impl Mean {
    /// Adds the sum over `weight` samples, tokens, …: a tensor of one element, which must already be multiplied by the
    /// weight.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn add(&mut self, sum: &Tensor, weight: f64) -> Result<(), TchError> {
        self.sum.add(sum)?;
        self.seen += weight;
        Ok(())
    }

    /// Adds the mean over `weight` samples, tokens, …: a tensor of one element. Nothing is read from a device.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn add_mean(&mut self, mean: &Tensor, weight: f64) -> Result<(), TchError> {
        match host_number(mean) {
            Some(mean) => {
                self.host += mean * weight;
                self.seen += weight;
                Ok(())
            }
            None => {
                let mean = mean.f_detach()?.f_reshape([0i64; 0])?.f_to_kind(Kind::Double)?;
                self.add(&mean.f_mul_scalar(weight)?, weight)
            }
        }
    }

    /// Adds the sum and weight of another mean.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn merge(&mut self, other: Mean) -> Result<(), TchError> {
        self.sum.merge(other.sum)?;
        self.host += other.host;
        self.seen += other.seen;
        Ok(())
    }

    /// The mean, for the metric of this name. Waits for the device.
    ///
    /// # Errors
    /// [`MetricError::NoBatch`] when the total weight is 0.
    pub fn read(&self, metric: &str) -> Result<f64> {
        match self.seen > 0.0 {
            true => Ok((self.sum.read()? + self.host) / self.seen),
            false => Err(MetricError::NoBatch { metric: metric.to_owned() }.into()),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Saved for Mean {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("sum", &self.sum);
        map.put("host", &self.host);
        map.put("seen", &self.seen);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Mean { sum: map.take("sum")?, host: map.take("host")?, seen: map.take("seen")? })
    }
}
