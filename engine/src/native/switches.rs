//! Switches of libtorch. Guards put back what they found, also when a panic unwinds through them.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// While it lives, a failing backward names the operator whose forward it belongs to.
///
/// It holds for the whole process and slows every step; guards must end in the reverse order of their making.
#[derive(Debug)]
#[must_use = "anomaly mode ends when the guard is dropped"]
pub struct AnomalyGuard {
    before: (bool, bool),
}

impl AnomalyGuard {
    /// Switches anomaly mode on; with `check_nan`, a backward that makes a NaN is an error.
    pub fn new(check_nan: bool) -> Self {
        let (mut enabled, mut checked) = (false, false);
        // SAFETY: both pointers are to live locals; the switches are plain globals.
        unsafe {
            ffi::eng_anomaly(&mut enabled, &mut checked);
            ffi::eng_set_anomaly(true, check_nan);
        }
        AnomalyGuard { before: (enabled, checked) }
    }
}

impl Drop for AnomalyGuard {
    fn drop(&mut self) {
        // SAFETY: sets two plain globals.
        unsafe { ffi::eng_set_anomaly(self.before.0, self.before.1) }
    }
}

/// While it lives, this thread records (`true`) or doesn't record (`false`) operations for backward.
#[derive(Debug)]
#[must_use = "the mode ends when the guard is dropped"]
pub struct GradModeGuard {
    before: bool,
    // the mode belongs to the thread, so the guard must not leave it
    _not_send: PhantomData<*const ()>,
}

impl GradModeGuard {
    /// Sets the mode.
    pub fn new(enabled: bool) -> Self {
        // SAFETY: reads and sets a thread-local of libtorch.
        let before = unsafe {
            let before = ffi::eng_grad_enabled();
            ffi::eng_set_grad_enabled(enabled);
            before
        };
        GradModeGuard { before, _not_send: PhantomData }
    }
}

impl Drop for GradModeGuard {
    fn drop(&mut self) {
        // SAFETY: sets a thread-local of libtorch.
        unsafe { ffi::eng_set_grad_enabled(self.before) }
    }
}

/// What libtorch does about operators whose results differ from run to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Determinism {
    /// Uses them.
    #[default]
    Off,
    /// Uses a deterministic one where there is one, and warns on stderr where there is none.
    Warn,
    /// Uses a deterministic one where there is one; where there is none, the operator is an error.
    Strict,
}

/// Sets the level for the whole process, cuDNN included.
///
/// On CUDA, cuBLAS also wants `CUBLAS_WORKSPACE_CONFIG` (`:4096:8`) in the environment before its first use: see
/// [`set_variable`].
///
/// # Errors
/// None that is known; libtorch's are passed on.
pub fn set_deterministic(level: Determinism) -> Result<(), NativeError> {
    // SAFETY: takes plain values.
    check(unsafe { ffi::eng_set_deterministic(level != Determinism::Off, level == Determinism::Warn) })
}

/// The level that holds now.
pub fn determinism() -> Determinism {
    let (mut enabled, mut warn_only) = (false, false);
    // SAFETY: both pointers are to live locals.
    unsafe { ffi::eng_deterministic(&mut enabled, &mut warn_only) };
    match (enabled, warn_only) {
        (false, _) => Determinism::Off,
        (true, true) => Determinism::Warn,
        (true, false) => Determinism::Strict,
    }
}

/// Sets a variable of this process's environment, for libraries that read their settings there when they are first
/// used. To be called while a program is prepared, before libtorch computes anything.
pub fn set_variable(name: &str, value: &str) {
    // SAFETY: Rust's own readers and writers take a lock. Code in C that reads the environment does so when it is
    // first used, and this is called before that.
    unsafe { std::env::set_var(name, value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn the_grad_mode_comes_back_when_a_panic_passes() {
        let records = || Tensor::ones([1], (Kind::Float, Device::Cpu)).set_requires_grad(true).sqrt().requires_grad();
        assert!(records());
        let unwound = std::panic::catch_unwind(|| {
            let _off = GradModeGuard::new(false);
            assert!(!records());
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(unwound.is_err() && records());
    }
}
