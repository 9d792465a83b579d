//! What holds for the process or the thread: denormal numbers, the memory that the CPU's allocator keeps, blocked and ignored
//! signals.

use crate::native::ffi;
use std::marker::PhantomData;
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

/// Signals that wait while this lives: for this thread, and for processes that it starts, also after this is dropped, until
/// they let them through themselves ([`let_through`]).
#[derive(Debug)]
#[must_use = "the signals are let through as soon as it is dropped"]
pub struct BlockedSignals {
    signals: Vec<i32>,
    // it is tied to its thread
    _not_send: PhantomData<*const ()>,
}

impl BlockedSignals {
    /// Blocks signals by their numbers.
    pub fn block(signals: &[i32]) -> BlockedSignals {
        // SAFETY: changes the mask of this thread.
        let was_open = |signal: &i32| unsafe { !ffi::eng_set_blocked(*signal, true) };
        BlockedSignals { signals: signals.iter().copied().filter(was_open).collect(), _not_send: PhantomData }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        let_through(&self.signals);
    }
}

/// Lets signals through to this thread that whoever has started the process may have blocked. Those that wait come now.
pub fn let_through(signals: &[i32]) {
    for signal in signals {
        // SAFETY: changes the mask of this thread.
        unsafe { ffi::eng_set_blocked(*signal, false) };
    }
}

/// Whether the process ignores a signal, as one that `nohup` or a script has started in the background does.
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: only reads what the process does about it.
    unsafe { ffi::eng_is_ignored(signal) }
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

    #[test]
    fn a_signal_is_blocked_while_the_guard_lives_unless_it_was_before() {
        // no signal that anything here uses
        let signals = [signal_hook::consts::SIGURG, signal_hook::consts::SIGWINCH];
        let blocked = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
            signals.map(|signal| mask >> (signal - 1) & 1 == 1)
        };
        let outer = BlockedSignals::block(&signals[..1]);
        let inner = BlockedSignals::block(&signals);
        assert_eq!(blocked(), [true, true]);
        drop(inner);
        assert_eq!(blocked(), [true, false]);
        drop(outer);
        assert_eq!(blocked(), [false, false]);
        std::mem::forget(BlockedSignals::block(&signals));
        let_through(&signals);
        assert_eq!(blocked(), [false, false]);
    }
}
