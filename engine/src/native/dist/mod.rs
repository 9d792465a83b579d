//! Stores, groups of processes, and the exchange of gradients: libtorch's c10d, which Python's `torch.distributed` is
//! made of.

mod group;
mod reducer;
mod store;

pub use group::{Pending, ProcessGroup};
pub use reducer::{Reducer, ReducerOptions};
pub use store::Store;

use crate::native::NativeError;
use std::ffi::CString;
use std::time::Duration;

fn c_text(text: &str) -> Result<CString, NativeError> {
    CString::new(text).map_err(|_| NativeError::argument(format!("{text:?} contains a zero byte")))
}

/// Whole milliseconds, at least one.
fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(1)
}
