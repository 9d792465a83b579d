//! Copies of a device's tensors to the host, on a stream of their own, so that the host need not wait for them.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawHostLane};
use std::fmt::Debug;
use std::ptr::{NonNull, null_mut};
use tch::{Device, Tensor};

/// Copies that may still be under way of tensors that somebody is about to change.
pub trait PendingCopies: Debug + Send + Sync {
    /// What this thread computes on its stream from now on comes after the copies. The host does not wait.
    ///
    /// # Errors
    /// Those of the device.
    fn block_stream(&self) -> Result<(), NativeError>;
}

/// A stream of a CUDA device for copies to pinned memory of the host.
///
/// After [`HostLane::begin`] copies are of what was computed so far. A tensor that was copied may be changed after
/// [`HostLane::mark`] and [`PendingCopies::block_stream`], and the copy may be read after [`HostLane::mark`] and
/// [`HostLane::wait`], also on another thread.
#[derive(Debug)]
pub struct HostLane {
    raw: NonNull<RawHostLane>,
    device: Device,
}

// SAFETY: its stream and events belong to no thread. What changes it takes `&mut`; through `&` its event is only waited for,
// which CUDA allows on several threads at once.
unsafe impl Send for HostLane {}
// SAFETY: as above.
unsafe impl Sync for HostLane {}

impl HostLane {
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
        check(unsafe { ffi::eng_host_lane_new(CUDA, index as i32, &mut raw) })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no stream"))?;
        Ok(HostLane { raw, device })
    }

    /// The device.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The copies that follow are of what this thread's stream has computed by now.
    ///
    /// # Errors
    /// Those of the device.
    pub fn begin(&mut self) -> Result<(), NativeError> {
        // SAFETY: the lane lives.
        check(unsafe { ffi::eng_host_lane_begin(self.raw.as_ptr()) })
    }

    /// Queues a copy of a tensor of the device. Into pinned memory ([`pinned_like`](super::pinned_like)) this returns at once.
    ///
    /// # Errors
    /// When libtorch can't copy it.
    pub fn copy(&mut self, into: &mut Tensor, from: &Tensor) -> Result<(), NativeError> {
        // SAFETY: the lane lives, and both tensors are borrowed for the call; libtorch keeps their memory until the copy is done.
        check(unsafe { ffi::eng_host_lane_copy(self.raw.as_ptr(), into.as_mut_ptr(), from.as_ptr()) })
    }

    /// Notes the place behind all copies so far.
    ///
    /// # Errors
    /// Those of the device.
    pub fn mark(&mut self) -> Result<(), NativeError> {
        // SAFETY: the lane lives.
        check(unsafe { ffi::eng_host_lane_mark(self.raw.as_ptr()) })
    }

    /// Waits until the copies before the last mark are done.
    ///
    /// # Errors
    /// Those of the device.
    pub fn wait(&self) -> Result<(), NativeError> {
        // SAFETY: the lane lives, and the event is only waited for.
        check(unsafe { ffi::eng_host_lane_wait(self.raw.as_ptr()) })
    }
}

impl PendingCopies for HostLane {
    fn block_stream(&self) -> Result<(), NativeError> {
        // SAFETY: the lane lives, and the event is only waited for.
        check(unsafe { ffi::eng_host_lane_hold(self.raw.as_ptr()) })
    }
}

impl Drop for HostLane {
    fn drop(&mut self) {
        // SAFETY: owned by `self` alone, freed once.
        unsafe { ffi::eng_host_lane_free(self.raw.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_stream_for_copies_on_the_cpu() {
        let error = HostLane::new(Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("for CUDA devices, not for Cpu"), "{error}");
    }
}
