//! The memory that libtorch takes, and copies within the host's.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawMeter};
use crate::native::foreach::owned;
use crate::native::identity::storage_id;
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

/// Bytes of a CUDA device, as libtorch's allocator counts them on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Of all tensors now.
    pub live: u64,
    /// Of all tensors at one time, the most since the last call.
    pub peak: u64,
    /// That libtorch has taken of the device, for tensors and for later.
    pub reserved: u64,
}

/// How much memory of the CUDA device with this number is in use. The peak begins anew. The device is not waited for.
///
/// # Errors
/// When there is no such device.
pub fn take_memory_use(cuda: usize) -> Result<MemoryUse, NativeError> {
    let index = i32::try_from(cuda).map_err(|_| NativeError::argument(format!("there is no device {cuda}")))?;
    let (mut live, mut peak, mut reserved) = (0, 0, 0);
    // SAFETY: three numbers are written before success is reported; 1 is CUDA among libtorch's types of devices.
    check(unsafe { ffi::eng_take_memory_use(1, index, &mut live, &mut peak, &mut reserved) })?;
    let bytes = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(MemoryUse { live: bytes(live), peak: bytes(peak), reserved: bytes(reserved) })
}

/// The most bytes that this process has had in the machine's memory at one time; `None` where the system does not tell.
pub fn most_resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The names of this machine's NVIDIA devices, as the driver tells them ("NVIDIA H100 80GB HBM3"), in no known order; empty
/// where there is none.
pub fn cuda_device_names() -> Vec<String> {
    let folders = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let texts = folders.filter_map(|folder| std::fs::read_to_string(folder.path().join("information")).ok());
    let names = texts.filter_map(|text| {
        let name = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
        Some(name.trim().to_owned())
    });
    names.collect()
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

/// Copies the values of a tensor into another one on the host, in one run through memory on this thread; `false` when it
/// does not, because they don't lie in memory in the same order without gaps.
///
/// libtorch's own copy divides a tensor among threads. That is slower where other work keeps them busy, because memory
/// bounds a copy, and each waits for the others. As with every change of a tensor, nobody may use either meanwhile.
///
/// ```
/// use engine::native::copy_in_a_row;
/// use engine::prelude::*;
///
/// let from = Tensor::arange(6, (Kind::Float, Device::Cpu)).reshape([2, 3]);
/// let mut into = from.zeros_like();
/// assert!(copy_in_a_row(&mut into, &from));
/// assert_eq!(into, from);
/// // the order of its elements is another one
/// assert!(!copy_in_a_row(&mut into.transpose(0, 1), &from.reshape([3, 2])));
/// ```
pub fn copy_in_a_row(into: &mut Tensor, from: &Tensor) -> bool {
    let bytes = match (bytes_in_a_row(into), bytes_in_a_row(from)) {
        (Some(bytes), Some(other)) if bytes == other => bytes,
        _ => return false,
    };
    if into.f_kind().ok() != from.f_kind().ok() || into.size() != from.size() || into.stride() != from.stride() {
        return false;
    }
    // SAFETY: both are tensors on the host whose elements take exactly these bytes from their pointers on, and both live
    // through the call. They may overlap.
    unsafe { std::ptr::copy(from.data_ptr().cast::<u8>(), into.data_ptr().cast::<u8>(), bytes) };
    true
}

/// Copies bytes of a tensor on the host whose elements lie without gaps, from a place in them on, on this thread; `false`
/// when they don't lie so, or there are fewer. As with every read of a tensor, nobody may change it meanwhile.
///
/// ```
/// use engine::native::copy_bytes;
/// use engine::prelude::*;
///
/// let tensor = Tensor::from_slice(&[1u8, 2, 3, 4]);
/// let mut two = [0; 2];
/// assert!(copy_bytes(&mut two, &tensor, 1));
/// assert_eq!(two, [2, 3]);
/// assert!(!copy_bytes(&mut two, &tensor, 3));
/// ```
pub fn copy_bytes(into: &mut [u8], from: &Tensor, begin: usize) -> bool {
    let there = bytes_in_a_row(from).unwrap_or(0);
    if begin.checked_add(into.len()).is_none_or(|end| end > there) {
        return false;
    }
    // SAFETY: a tensor on the host whose elements take `there` bytes from its pointer on lives through the call, and the
    // slice, which is borrowed alone, is no part of it.
    unsafe { std::ptr::copy_nonoverlapping(from.data_ptr().cast::<u8>().add(begin), into.as_mut_ptr(), into.len()) };
    true
}

/// How many bytes a tensor takes from its first element on, where its elements lie on the host without gaps, in any order,
/// and are read as they lie.
fn bytes_in_a_row(tensor: &Tensor) -> Option<usize> {
    let is_plain = tensor.defined()
        && tensor.device() == Device::Cpu
        && storage_id(tensor).is_some()
        && tensor.f_is_neg().is_ok_and(|negated| !negated)
        && tensor.f_is_conj().is_ok_and(|conjugated| !conjugated);
    if !is_plain {
        return None;
    }
    let count = tensor.numel();
    let last: i64 = tensor.size().iter().zip(tensor.stride()).map(|(length, stride)| (length - 1) * stride).sum();
    (count > 0 && last + 1 == count as i64).then_some(count * tensor.f_kind().ok()?.elt_size_in_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn what_lies_in_a_row_is_copied_and_what_does_not_is_left() {
        let numbers = Tensor::arange(24, (Kind::Int64, Device::Cpu)).reshape([2, 3, 4, 1]);
        let in_a_row =
            [numbers.shallow_clone(), numbers.permute([0, 2, 3, 1]), numbers.narrow(0, 1, 1), numbers.get(1).get(2)];
        for from in in_a_row {
            let mut into = from.zeros_like();
            assert!(copy_in_a_row(&mut into, &from), "{from:?}");
            assert_eq!(into, from);
        }
        let with_gaps = [numbers.narrow(2, 0, 2), numbers.select(2, 1), Tensor::from(1).expand([3], false)];
        for from in with_gaps {
            let mut into = from.zeros_like();
            assert!(!copy_in_a_row(&mut into, &from), "{from:?}");
            assert_eq!(into.sum(Kind::Int64).int64_value(&[]), 0);
        }
        let one = Tensor::from_slice(&[1.0f32, 2.0]);
        let complex = Tensor::complex(&one, &one);
        let others = [
            one.to_kind(Kind::Double),
            one.reshape([2, 1]),
            Tensor::zeros([0], (Kind::Float, Device::Cpu)),
            one.to_sparse_sparse_dim(1),
            Tensor::new(),
            complex.conj(),
        ];
        for from in others {
            assert!(!copy_in_a_row(&mut one.zeros_like(), &from));
            assert!(!copy_in_a_row(&mut complex.zeros_like(), &from));
        }
    }
}
