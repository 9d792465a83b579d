//! Which handles are one tensor, and which tensors lie over one memory.

use crate::native::ffi;
use tch::Tensor;

/// A number that two handles of one tensor share, as [`Tensor::shallow_clone`] makes them: one gradient, one update.
/// No other tensor that lives has it.
///
/// ```
/// use engine::native::tensor_id;
/// use engine::prelude::*;
///
/// let weight = Tensor::from_slice(&[1.0, 2.0]);
/// assert_eq!(tensor_id(&weight), tensor_id(&weight.shallow_clone()));
/// assert_ne!(tensor_id(&weight), tensor_id(&weight.detach()));
/// ```
pub fn tensor_id(tensor: &Tensor) -> usize {
    // SAFETY: the tensor is borrowed for the call.
    unsafe { ffi::eng_tensor_id(tensor.as_ptr()) }
}

/// A number that two tensors over one memory share: views, and what [`Tensor::detach`] gives. `None` without memory.
///
/// ```
/// use engine::native::storage_id;
/// use engine::prelude::*;
///
/// let weight = Tensor::from_slice(&[1.0, 2.0]);
/// assert_eq!(storage_id(&weight), storage_id(&weight.narrow(0, 1, 1)));
/// assert_ne!(storage_id(&weight), storage_id(&weight.copy()));
/// ```
pub fn storage_id(tensor: &Tensor) -> Option<usize> {
    // SAFETY: the tensor is borrowed for the call.
    match unsafe { ffi::eng_storage_id(tensor.as_ptr()) } {
        0 => None,
        id => Some(id),
    }
}
