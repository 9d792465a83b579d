//! A weighted mean that can be merged with others.

use crate::base::error::Result;
use crate::base::state::{Saved, StateError, StateMap, StateValue};
use crate::metric::error::MetricError;
use crate::metric::total::Total;
use tch::{TchError, Tensor};

/// A sum on the device and its total weight: the number of samples, tokens or other units over which the mean is
/// taken.
///
/// ```
/// use engine::metric::Mean;
/// use tch::Tensor;
///
/// let mut mean = Mean::default();
/// mean.add(&Tensor::from(6.0), 3.0)?; // the sum over three samples
/// mean.add(&Tensor::from(2.0), 1.0)?;
/// assert_eq!(mean.read("error")?, 2.0);
/// let error = Mean::default().read("error").unwrap_err();
/// assert!(error.to_string().starts_with("metric `error` has no value"));
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Mean {
    sum: Total,
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

    /// Adds the sum and weight of another mean.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn merge(&mut self, other: Mean) -> Result<(), TchError> {
        self.sum.merge(other.sum)?;
        self.seen += other.seen;
        Ok(())
    }

    /// The mean, for the metric of this name. Waits for the device.
    ///
    /// # Errors
    /// [`MetricError::NoBatch`] when the total weight is 0.
    pub fn read(&self, metric: &str) -> Result<f64> {
        match self.seen > 0.0 {
            true => Ok(self.sum.read()? / self.seen),
            false => Err(MetricError::NoBatch { metric: metric.to_owned() }.into()),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Saved for Mean {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("sum", &self.sum);
        map.put("seen", &self.seen);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Mean { sum: map.take("sum")?, seen: map.take("seen")? })
    }
}
