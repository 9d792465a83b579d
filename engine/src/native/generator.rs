//! The state of libtorch's default generators: dropout masks, noise, initial weights come from them.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use crate::native::foreach::owned;
use std::ffi::c_int;
use tch::{Device, Tensor};

/// The state of the default generator of a device, as bytes on the CPU: a `u8` tensor, 5,056 long for the CPU.
///
/// # Errors
/// When libtorch has no such device.
pub fn generator_state(device: Device) -> Result<Tensor, NativeError> {
    let (kind, index) = place(device)?;
    // SAFETY: the entry writes a new tensor.
    owned(|out| unsafe { ffi::eng_generator_state(kind, index, out) })
}

/// Puts a generator back to where [`generator_state`] found it: the numbers that follow are the same to the bit.
///
/// # Errors
/// When libtorch has no such device, or the tensor is no state of its generator.
pub fn set_generator_state(device: Device, state: &Tensor) -> Result<(), NativeError> {
    let (kind, index) = place(device)?;
    // SAFETY: the tensor is borrowed for the call.
    check(unsafe { ffi::eng_set_generator_state(kind, index, state.as_ptr()) })
}

/// Puts a generator to the start of this seed. Those of other devices stay where they are.
///
/// # Errors
/// When libtorch has no such device.
pub fn seed_generator(device: Device, seed: u64) -> Result<(), NativeError> {
    let (kind, index) = place(device)?;
    // SAFETY: the entry takes numbers alone.
    check(unsafe { ffi::eng_seed_generator(kind, index, seed) })
}

/// The numbers of `c10::DeviceType` and its index.
fn place(device: Device) -> Result<(c_int, c_int), NativeError> {
    match device {
        Device::Cpu => Ok((0, -1)),
        Device::Cuda(index) => c_int::try_from(index)
            // an index is one byte in libtorch
            .ok()
            .filter(|index| *index <= c_int::from(i8::MAX))
            .map(|index| (1, index))
            .ok_or_else(|| NativeError::argument(format!("there is no device `Cuda({index})`"))),
        Device::Mps => Ok((13, 0)),
        Device::Vulkan => Err(NativeError::argument("a Vulkan device has no generator")),
    }
}
