//! Brings in the part of libtorch that drives an accelerator.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use std::ffi::CStr;
use std::sync::OnceLock;

/// Whether this libtorch can drive an accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// `libtorch_cuda.so` lies beside `libtorch_cpu.so` and is loaded. Whether there is a device is libtorch's
    /// to say (`tch::Cuda::device_count`).
    Loaded,
    /// This libtorch is for the CPU only.
    Absent,
}

/// Loads `libtorch_cuda.so` when it lies beside the `libtorch_cpu.so` of this program. To be called before the
/// first use of a device: a linker drops the library because nothing refers to it, and CUDA then silently is
/// not there. Done once; later calls give the same answer.
///
/// # Errors
/// When the library is there but can't be loaded.
pub fn load_accelerator() -> Result<Accelerator, NativeError> {
    static ANSWER: OnceLock<Result<Accelerator, NativeError>> = OnceLock::new();
    ANSWER
        .get_or_init(|| {
            let mut loaded = false;
            // SAFETY: the pointer is to a live local. Loading runs the library's initialisers, which libtorch
            // means to be run this way.
            check(unsafe { ffi::eng_load_accelerator(&mut loaded) })?;
            Ok(if loaded { Accelerator::Loaded } else { Accelerator::Absent })
        })
        .clone()
}

/// The libtorch that this program was built with, `2.11.0`.
pub fn libtorch_version() -> String {
    // SAFETY: the shim hands out a string literal.
    let version = unsafe { CStr::from_ptr(ffi::eng_libtorch_version()) };
    version.to_string_lossy().into_owned()
}
