//! The memory that libtorch takes, for tests and reports.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawMeter};
use crate::native::foreach::owned;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};
use tch::{Device, Tensor};

/// Gives the memory that libtorch's allocator holds for later back to a CUDA device. No tensor is freed. On other devices it does
/// nothing.
///
/// # Errors
/// When libtorch can't, for example while a CUDA graph is recorded.
pub fn empty_cache(device: Device) -> Result<(), NativeError> {
    match device {
        // the number of CUDA among libtorch's types of devices
        // SAFETY: takes a number.
        Device::Cuda(_) => check(unsafe { ffi::eng_empty_cache(1) }),
        _ => Ok(()),
    }
}

/// Counts the bytes of tensors, on all devices, that are taken on the thread that made it while it lives. A backward on
/// the CPU runs on that thread too; one on another device does not.
///
/// ```
/// # use engine::native::{MemoryMeter, NativeError};
/// # use engine::tch::{Device, Kind, Tensor};
/// # fn main() -> Result<(), NativeError> {
/// let meter = MemoryMeter::start()?;
/// let kept = Tensor::ones([1000], (Kind::Float, Device::Cpu));
/// drop(kept.ones_like());
/// assert_eq!((meter.live_bytes(), meter.peak_bytes()), (4000, 8000));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryMeter {
    raw: NonNull<RawMeter>,
    // it is tied to its thread
    _not_send: PhantomData<*const ()>,
}

impl MemoryMeter {
    /// Begins to count. Meters of one thread end in the reverse order of their making.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn start() -> Result<Self, NativeError> {
        let mut raw = null_mut();
        // SAFETY: `raw` is written before success is reported.
        check(unsafe { ffi::eng_memory_meter_new(&mut raw) })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no meter"))?;
        Ok(MemoryMeter { raw, _not_send: PhantomData })
    }

    /// Bytes that were taken since the start and are not given back yet.
    pub fn live_bytes(&self) -> i64 {
        self.counts().0
    }

    /// The most that [`MemoryMeter::live_bytes`] has been.
    pub fn peak_bytes(&self) -> i64 {
        self.counts().1
    }

    fn counts(&self) -> (i64, i64) {
        let (mut live, mut peak) = (0, 0);
        // SAFETY: the meter lives as long as `self`; the pointers are to live locals.
        unsafe { ffi::eng_memory_meter_read(self.raw.as_ptr(), &mut live, &mut peak) };
        (live, peak)
    }
}

impl Drop for MemoryMeter {
    fn drop(&mut self) {
        // SAFETY: made by `eng_memory_meter_new` on this thread, freed once.
        unsafe { ffi::eng_memory_meter_free(self.raw.as_ptr()) }
    }
}

/// Host memory for a copy of a tensor, without gaps and pinned: a CUDA device writes there directly.
///
/// # Errors
/// When there is no CUDA device, or no memory.
pub fn pinned_like(tensor: &Tensor) -> Result<Tensor, NativeError> {
    // SAFETY: the tensor is borrowed for the call, and `out` is written before success is reported.
    owned(|out| unsafe { ffi::eng_pinned_like(tensor.as_ptr(), out) })
}
