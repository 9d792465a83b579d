//! What holds for the process or the thread: denormal numbers, and the memory that the CPU's allocator keeps.

use crate::native::ffi;
use std::sync::Once;

/// Whether operators on this thread, and on threads that it makes from now on, take denormal numbers for zero. False
/// when the processor has no such mode.
pub fn set_flush_denormals(flush: bool) -> bool {
    // SAFETY: sets a register of this thread.
    unsafe { ffi::eng_set_flush_denormals(flush) }
}

/// From now on the process keeps blocks of up to 32 MiB that were freed, for the next step. It can't be taken back:
/// glibc has no call for that. Other C libraries are left as they are.
pub fn keep_memory() {
    static ONCE: Once = Once::new();
    // SAFETY: sets two numbers of the allocator, which takes its own lock.
    ONCE.call_once(|| unsafe { ffi::eng_keep_memory() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Tensor;

    #[test]
    fn denormal_numbers_are_zero_only_while_they_are_flushed() {
        let product = || (Tensor::from(1e-30f32) * Tensor::from(1e-10f32)).double_value(&[]);
        assert!(product() > 0.0);
        if set_flush_denormals(true) {
            let flushed = product();
            set_flush_denormals(false);
            assert_eq!(flushed, 0.0);
        }
        assert!(product() > 0.0);
    }
}
