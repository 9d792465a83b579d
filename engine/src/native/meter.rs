//! What libtorch does on a thread, for tests and reports: the memory it takes, and how often a device is read.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawMeter};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

/// Counts while it lives, on the thread that made it. A backward on the CPU runs on that thread too; one on another
/// device does not.
///
/// ```
/// # use engine::native::{Meter, NativeError};
/// # use engine::tch::{Device, Kind, Tensor};
/// # fn main() -> Result<(), NativeError> {
/// let meter = Meter::start()?;
/// let kept = Tensor::ones([1000], (Kind::Float, Device::Cpu));
/// drop(&kept + 1.0);
/// assert_eq!((meter.live_bytes(), meter.peak_bytes()), (4000, 8000));
/// assert_eq!(kept.double_value(&[0]), 1.0);
/// assert_eq!(meter.device_reads(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Meter {
    raw: NonNull<RawMeter>,
    // it is tied to its thread
    _not_send: PhantomData<*const ()>,
}

/// The counts of a meter.
#[derive(Default)]
struct Counts {
    reads: u64,
    live: i64,
    peak: i64,
}

impl Meter {
    /// Begins to count. Meters of one thread end in the reverse order of their making.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn start() -> Result<Self, NativeError> {
        let mut raw = null_mut();
        // SAFETY: `raw` is written before success is reported.
        check(unsafe { ffi::eng_meter_new(&mut raw) })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no meter"))?;
        Ok(Meter { raw, _not_send: PhantomData })
    }

    /// How often a number was read from a tensor, which waits for the tensor's device. On the CPU the same calls count.
    pub fn device_reads(&self) -> u64 {
        self.counts().reads
    }

    /// Bytes of tensors, on all devices, that were taken since the start and are not given back yet.
    pub fn live_bytes(&self) -> i64 {
        self.counts().live
    }

    /// The most that [`Meter::live_bytes`] has been.
    pub fn peak_bytes(&self) -> i64 {
        self.counts().peak
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        // SAFETY: the meter lives as long as `self`; the pointers are to live locals.
        unsafe { ffi::eng_meter_read(self.raw.as_ptr(), &mut counts.reads, &mut counts.live, &mut counts.peak) };
        counts
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // SAFETY: made by `eng_meter_new` on this thread, freed once.
        unsafe { ffi::eng_meter_free(self.raw.as_ptr()) }
    }
}
