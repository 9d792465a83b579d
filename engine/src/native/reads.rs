//! What makes the host wait for a device: reads of values, counted, and libtorch's own watch over CUDA.
//!
//! For tests and checks: the counter calls back in every operator, which slows a step by some per cent.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use tch::Tensor;

/// Counts the values that the whole process reads from a device while it lives: single numbers (`double_value`), and
/// copies from a device to the host (`f64::try_from`, `to_device`). Reads of single numbers on the CPU count too, so that a test without a device sees
/// what one would cost; so do those inside of libtorch's kernels for the CPU, as in fused Adam, which reads its step
/// counts there and on no other device.
///
/// ```
/// # use engine::native::DeviceReads;
/// # use engine::tch::Tensor;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reads = DeviceReads::count()?;
/// let sum = Tensor::from_slice(&[1.0f32, 2.0]).sum(engine::tch::Kind::Float);
/// assert_eq!(reads.so_far(), 0);
/// assert_eq!(sum.double_value(&[]), 3.0);
/// assert_eq!(reads.so_far(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "counting ends when it is dropped"]
pub struct DeviceReads {
    before: u64,
}

impl DeviceReads {
    /// Begins to count.
    ///
    /// # Errors
    /// None that is known; libtorch's are passed on.
    pub fn count() -> Result<Self, NativeError> {
        // SAFETY: takes nothing.
        check(unsafe { ffi::eng_reads_begin() })?;
        Ok(DeviceReads { before: total() })
    }

    /// The reads since it began.
    pub fn so_far(&self) -> u64 {
        total() - self.before
    }
}

impl Drop for DeviceReads {
    fn drop(&mut self) {
        // SAFETY: takes nothing. It can't fail but for a lock, and then counting goes on, which only costs time.
        let _ = unsafe { ffi::eng_reads_end() };
    }
}

fn total() -> u64 {
    // SAFETY: reads an atomic counter.
    unsafe { ffi::eng_reads() }
}

/// The number of a tensor of one element that lies on the CPU, straight from its memory: no operator is called, and no
/// device is waited for. `None` for every other tensor, and for kinds that no row shows (complex, quantized).
///
/// ```
/// use engine::native::host_number;
/// use engine::prelude::*;
///
/// assert_eq!(host_number(&Tensor::from(2.5f32)), Some(2.5));
/// assert_eq!(host_number(&Tensor::from_slice(&[1i64, 2]).get(1)), Some(2.0));
/// assert_eq!(host_number(&Tensor::from_slice(&[1.0, 2.0])), None);
/// ```
pub fn host_number(tensor: &Tensor) -> Option<f64> {
    let mut number = 0.0;
    // SAFETY: the tensor is borrowed for the call, and the shim writes one number.
    let read = unsafe { ffi::eng_host_number(tensor.as_ptr(), &mut number) };
    read.then_some(number)
}

/// While it lives, an operator that waits for a CUDA device is an error that names itself: PyTorch's
/// `torch.cuda.set_sync_debug_mode("error")`. It holds for the whole process; guards must end in the reverse order of
/// their making.
///
/// libtorch asks where it copies, reads or synchronizes by itself. Waits inside CUDA's libraries, such as an
/// allocation that had to free memory first, are not seen.
#[derive(Debug)]
#[must_use = "waiting is allowed again when the guard is dropped"]
pub struct NoSyncGuard {
    before: i32,
}

impl NoSyncGuard {
    /// Forbids waiting; `None` when the CUDA part of libtorch is not loaded, and there is nothing to wait for.
    pub fn new() -> Option<Self> {
        const ERROR: i32 = 2;
        // SAFETY: sets a plain global of libtorch.
        let before = unsafe { ffi::eng_set_sync_debug(ERROR) };
        (before >= 0).then_some(NoSyncGuard { before })
    }
}

impl Drop for NoSyncGuard {
    fn drop(&mut self) {
        // SAFETY: sets a plain global of libtorch.
        unsafe { ffi::eng_set_sync_debug(self.before) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::{Accelerator, load_accelerator};

    #[test]
    fn waiting_can_be_forbidden_exactly_when_cuda_is_loaded() {
        let loaded = load_accelerator().unwrap() == Accelerator::Loaded;
        assert_eq!(NoSyncGuard::new().is_some(), loaded);
    }
}
