//! A sum that stays on the device.

use crate::base::state::{Saved, StateError, StateValue};
use tch::{Kind, TchError, Tensor};

/// A running sum of tensors of one shape. Only [`Total::read`] reads from the device.
///
/// Integers are summed in 64 bits, floats in double precision, so that a sum over many batches depends on the batch
/// size only in its last bits.
///
/// ```
/// use engine::metric::Total;
/// use tch::Tensor;
///
/// let mut counts = Total::default();
/// counts.add(&Tensor::from_slice(&[1i64, 0, 2]))?;
/// counts.add(&Tensor::from_slice(&[0i64, 1, 2]))?;
/// assert_eq!(Vec::<i64>::try_from(counts.tensor().unwrap())?, [1, 1, 4]);
/// # Ok::<(), tch::TchError>(())
/// ```
#[derive(Debug, Default)]
pub struct Total(Option<Tensor>);

impl Total {
    /// Adds a tensor, which may be on any device.
    ///
    /// # Errors
    /// When its shape differs from that of the earlier tensors, or libtorch fails.
    pub fn add(&mut self, term: &Tensor) -> Result<(), TchError> {
        let kind = if term.is_floating_point() { Kind::Double } else { Kind::Int64 };
        let term = term.f_detach()?.f_to_kind(kind)?;
        // never in place: a checkpoint may still be writing the tensor that was the sum until now
        self.0 = Some(match &self.0 {
            Some(sum) => sum.f_to_device(term.device())?.f_add(&term)?,
            None => term.f_add_scalar(0)?,
        });
        Ok(())
    }

    /// Adds another sum.
    ///
    /// # Errors
    /// As [`Total::add`].
    pub fn merge(&mut self, other: Total) -> Result<(), TchError> {
        other.0.map_or(Ok(()), |sum| self.add(&sum))
    }

    /// The sum, on its device; `None` when nothing was added.
    pub fn tensor(&self) -> Option<&Tensor> {
        self.0.as_ref()
    }

    /// The sum of tensors of one element; 0 when nothing was added. Waits for the device.
    ///
    /// # Errors
    /// When the tensors have more than one element.
    pub fn read(&self) -> Result<f64, TchError> {
        self.0.as_ref().map_or(Ok(0.0), |sum| f64::try_from(sum.f_to_kind(Kind::Double)?))
    }
}

#[diagnostic::do_not_recommend]
impl Saved for Total {
    fn save(&self) -> StateValue {
        self.0.save()
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        Option::restore(value).map(Total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_sum_does_not_change_with_what_is_added_later() {
        let mut total = Total::default();
        assert_eq!(total.read().unwrap(), 0.0);
        let term = Tensor::from(2.0f64);
        total.add(&term).unwrap();
        let saved = total.save();
        total.add(&term).unwrap();
        assert_eq!((total.read().unwrap(), f64::try_from(term).unwrap()), (4.0, 2.0));
        assert_eq!(Total::restore(saved).unwrap().read().unwrap(), 2.0);
    }

    #[test]
    fn small_terms_are_not_lost_in_a_large_sum() {
        let mut total = Total::default();
        // in single precision 2^24 + 1 is 2^24
        for value in [16_777_216.0f32, 1.0, 1.0] {
            total.add(&Tensor::from(value)).unwrap();
        }
        assert_eq!(total.read().unwrap(), 16_777_218.0);
    }
}
