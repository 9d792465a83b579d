//! Rows of all batches that stay on the device.

use crate::base::state::{Saved, StateError, StateValue};
use tch::{Device, TchError, Tensor};

/// Tensors of all batches, for metrics that need every sample at the end. They stay on their device, and only
/// [`Kept::on_host`] reads them.
///
/// It grows with the data. A metric with such a state should drop it in
/// [`Metric::release`](crate::metric::Metric::release), so that no checkpoint contains it.
///
/// ```
/// use engine::metric::Kept;
/// use tch::Tensor;
///
/// let mut scores = Kept::default();
/// scores.add(&Tensor::from_slice(&[0.5f32, 0.25]))?;
/// scores.add(&Tensor::from_slice(&[0.75f32]))?;
/// let shapes: Vec<Vec<i64>> = scores.on_host()?.iter().map(Tensor::size).collect();
/// assert_eq!(shapes, [[2], [1]]);
/// # Ok::<(), tch::TchError>(())
/// ```
#[derive(Debug, Default)]
pub struct Kept(Vec<Tensor>);

impl Kept {
    /// Adds a copy of the tensor of a batch.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn add(&mut self, rows: &Tensor) -> Result<(), TchError> {
        // a copy: the next batch may use the same memory
        let mut copy = rows.f_empty_like()?;
        copy.f_copy_(&rows.f_detach()?)?;
        self.0.push(copy);
        Ok(())
    }

    /// Adds the tensors of another one, behind the own.
    pub fn merge(&mut self, other: Kept) {
        self.0.extend(other.0);
    }

    /// The tensors of the batches on the CPU, in the order in which they were added. Waits for the device.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn on_host(&self) -> Result<Vec<Tensor>, TchError> {
        self.0.iter().map(|rows| rows.f_to_device(Device::Cpu)).collect()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[diagnostic::do_not_recommend]
impl Saved for Kept {
    fn save(&self) -> StateValue {
        self.0.save()
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        Vec::restore(value).map(Kept)
    }
}
