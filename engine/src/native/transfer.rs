//! Batches on their way to a device: pinned memory of the host, and copies on a stream of their own.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawCopyLane};
use std::ffi::c_int;
use std::ptr::{NonNull, null_mut};
use tch::{Device, Tensor};
use torch_sys::C_tensor;

/// A copy of a tensor in pinned memory of the host, with the strides that its copy on a device would have. `None` when
/// there is nothing to copy: the tensor is pinned already, has no elements, or lies on a device.
///
/// libtorch keeps pinned memory for later tensors, and uses it again only when a device has read it.
///
/// # Errors
/// When there is no CUDA device, or no memory that can be pinned.
pub fn pinned_copy(tensor: &Tensor) -> Result<Option<Tensor>, NativeError> {
    // SAFETY: the tensor is borrowed for the call, and `out` is written before success is reported.
    owned_if_any(|out| unsafe { ffi::eng_pinned_copy(tensor.as_ptr(), out) })
}

/// A stream of a CUDA device for copies from the host, which run beside what the device computes. The host waits for
/// nothing.
///
/// A copy may be used after [`CopyLane::mark`] and [`CopyLane::wait`], on the stream of the thread that has called them,
/// and after [`CopyLane::keep`].
#[derive(Debug)]
pub struct CopyLane {
    raw: NonNull<RawCopyLane>,
}

// SAFETY: the lane is used through `&mut` alone, and its stream and event belong to no thread.
unsafe impl Send for CopyLane {}

impl CopyLane {
    /// A stream of this device.
    ///
    /// # Errors
    /// When the device is no CUDA device or not there.
    pub fn new(device: Device) -> Result<Self, NativeError> {
        const CUDA: i32 = 1;
        let Device::Cuda(index) = device else {
            return Err(NativeError::argument(format!("a stream for copies is for CUDA devices, not for {device:?}")));
        };
        let mut raw = null_mut();
        // SAFETY: takes plain values, and writes a lane before it reports success.
        check(unsafe { ffi::eng_copy_lane_new(CUDA, index as i32, &mut raw) })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no stream"))?;
        Ok(CopyLane { raw })
    }

    /// Queues a copy of a tensor of the host. From pinned memory this returns at once. `None` for a tensor that lies on a
    /// device, or not in one piece of memory, as a sparse one.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn copy(&mut self, tensor: &Tensor) -> Result<Option<Tensor>, NativeError> {
        // SAFETY: the lane lives, the tensor is borrowed for the call, and `out` is written before success is reported.
        owned_if_any(|out| unsafe { ffi::eng_copy_lane_copy(self.raw.as_ptr(), tensor.as_ptr(), out) })
    }

    /// Notes the place behind all copies so far.
    ///
    /// # Errors
    /// Those of the device.
    pub fn mark(&mut self) -> Result<(), NativeError> {
        // SAFETY: the lane lives.
        check(unsafe { ffi::eng_copy_lane_mark(self.raw.as_ptr()) })
    }

    /// What this thread computes on its stream from now on comes after the copies before the last mark.
    ///
    /// # Errors
    /// Those of the device.
    pub fn wait(&mut self) -> Result<(), NativeError> {
        // SAFETY: the lane lives.
        check(unsafe { ffi::eng_copy_lane_wait(self.raw.as_ptr()) })
    }

    /// Keeps the memory of a copy of this lane, when it is dropped, until this thread's stream has done what it was given
    /// by then.
    ///
    /// # Errors
    /// Those of the device.
    pub fn keep(&mut self, copy: &Tensor) -> Result<(), NativeError> {
        // SAFETY: the lane lives, and the tensor is borrowed for the call.
        check(unsafe { ffi::eng_copy_lane_keep(self.raw.as_ptr(), copy.as_ptr()) })
    }
}

impl Drop for CopyLane {
    fn drop(&mut self) {
        // SAFETY: owned by `self` alone, freed once.
        unsafe { ffi::eng_copy_lane_free(self.raw.as_ptr()) }
    }
}

/// The tensor that an entry writes to its `out` argument, if it writes one.
fn owned_if_any(entry: impl FnOnce(*mut *mut C_tensor) -> c_int) -> Result<Option<Tensor>, NativeError> {
    let mut tensor = null_mut();
    check(entry(&mut tensor))?;
    // SAFETY: a pointer that is not null is a tensor of its own that nobody else frees.
    Ok((!tensor.is_null()).then(|| unsafe { Tensor::from_ptr(tensor) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn there_is_no_stream_for_copies_on_the_cpu() {
        let error = CopyLane::new(Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("for CUDA devices, not for Cpu"), "{error}");
    }

    #[test]
    fn what_has_no_elements_is_not_pinned() {
        for tensor in [Tensor::zeros([0, 3], (Kind::Float, Device::Cpu)), Tensor::new()] {
            assert!(pinned_copy(&tensor).unwrap().is_none());
        }
    }

    #[test]
    fn a_pinned_copy_has_the_values_and_the_strides_of_its_tensor() {
        let numbers = Tensor::arange(24, (Kind::Float, Device::Cpu)).reshape([2, 3, 2, 2]);
        for tensor in [numbers.permute([0, 2, 3, 1]), numbers.narrow(1, 0, 2), numbers] {
            match pinned_copy(&tensor) {
                Ok(copy) => {
                    let copy = copy.unwrap();
                    assert_eq!(copy, tensor);
                    assert!(pinned_copy(&copy).unwrap().is_none(), "it is pinned already");
                    let same = tensor.stride() == copy.stride();
                    assert!(same || !tensor.is_contiguous(), "{:?} {:?}", tensor.stride(), copy.stride());
                }
                // what a machine without a CUDA device says
                Err(error) => assert!(!tch::Cuda::is_available(), "{error}"),
            }
        }
    }
}
