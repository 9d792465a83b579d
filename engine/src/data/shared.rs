//! A tensor that several threads may read.

use std::sync::{Mutex, PoisonError};
use tch::Tensor;

/// A tensor stored in a dataset. A plain `Tensor` can be moved to another thread, but not be read from two threads.
/// Never modify a tensor from [`SharedTensor::get`] in place: all handles share one storage.
#[derive(Debug)]
pub struct SharedTensor(Mutex<Tensor>);

impl SharedTensor {
    /// Takes ownership of the tensor.
    pub fn new(tensor: Tensor) -> Self {
        SharedTensor(Mutex::new(tensor))
    }

    /// A handle for this thread. No data is copied.
    pub fn get(&self) -> Tensor {
        // nothing can be half done behind this lock: it only guards the counting of handles
        self.0.lock().unwrap_or_else(PoisonError::into_inner).shallow_clone()
    }
}

impl From<Tensor> for SharedTensor {
    fn from(tensor: Tensor) -> Self {
        SharedTensor::new(tensor)
    }
}
