//! The error of a call into libtorch.

use crate::native::ffi;
use std::ffi::{CStr, c_int};

/// What libtorch, or the shim over it, refused to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct NativeError {
    /// What sort of failure it was.
    pub kind: ErrorKind,
    /// Its text, without C++ frames.
    pub text: String,
    /// The entry of the list that it is about, when it is about one.
    pub item: Option<usize>,
}

/// The sort of a [`NativeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An operator of libtorch failed.
    Libtorch,
    /// The tensors or numbers of the call don't go together.
    Argument,
    /// libtorch has no such operator for this device or kind.
    NotImplemented,
    /// The host or the device has not enough memory.
    OutOfMemory,
    /// The dynamic linker or the file system failed.
    System,
    /// Something that is no `std::exception` was thrown.
    Unknown,
}

impl NativeError {
    /// An error of kind [`ErrorKind::Argument`].
    pub fn argument(text: impl Into<String>) -> Self {
        NativeError { kind: ErrorKind::Argument, text: text.into(), item: None }
    }
}

/// The result of an entry of the shim.
pub(super) fn check(status: c_int) -> Result<(), NativeError> {
    let kind = match status {
        0 => return Ok(()),
        1 => ErrorKind::Libtorch,
        2 => ErrorKind::Argument,
        3 => ErrorKind::NotImplemented,
        4 => ErrorKind::OutOfMemory,
        5 => ErrorKind::System,
        _ => ErrorKind::Unknown,
    };
    // SAFETY: the text is a C string of this thread that lives until the thread's next failing call, and it
    // is copied before anything else is called.
    let text = unsafe { CStr::from_ptr(ffi::eng_error_text()) };
    let text = text.to_string_lossy().trim_end().to_owned();
    // SAFETY: reads a number of this thread.
    let item = usize::try_from(unsafe { ffi::eng_error_item() }).ok();
    Err(NativeError { kind, text, item })
}
