//! Texts under keys, which all processes of a group see.

use crate::native::dist::{c_text, milliseconds};
use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawStore};
use std::fmt;
use std::net::TcpListener;
use std::os::fd::IntoRawFd as _;
use std::ptr::{NonNull, null_mut};
use std::time::Duration;

/// The most that is read of a value.
const MOST: usize = 1 << 16;

/// A connection to libtorch's `TCPStore`, or the store itself. One process serves it, all others connect to it.
pub struct Store(NonNull<RawStore>);

// SAFETY: a `TCPStore` takes a lock of its own for each request, and is tied to no thread.
unsafe impl Send for Store {}
// SAFETY: as above.
unsafe impl Sync for Store {}

impl Store {
    /// Serves a store on this socket, for as long as this value lives. `timeout` is how long requests of this process wait.
    ///
    /// # Errors
    /// When the socket is none that can be listened on.
    pub fn serve(listener: TcpListener, timeout: Duration) -> Result<Store, NativeError> {
        let address = listener.local_addr();
        let port = address.map_err(|error| NativeError::argument(error.to_string()))?.port();
        // SAFETY: the socket is handed over: libtorch closes it with the store.
        Self::made(|out| unsafe { ffi::eng_store_serve(listener.into_raw_fd(), port, milliseconds(timeout), out) })
    }

    /// Connects to the store of another process.
    ///
    /// # Errors
    /// When nobody serves one there within the time.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<Store, NativeError> {
        let host = c_text(host)?;
        // SAFETY: the text lives for the call.
        Self::made(|out| unsafe { ffi::eng_store_connect(host.as_ptr(), port, milliseconds(timeout), out) })
    }

    /// The same store; its keys begin with `prefix/`.
    ///
    /// # Errors
    /// When the prefix contains a zero byte.
    pub fn prefixed(&self, prefix: &str) -> Result<Store, NativeError> {
        let prefix = c_text(prefix)?;
        // SAFETY: the store and the text live for the call.
        Self::made(|out| unsafe { ffi::eng_store_prefixed(self.raw(), prefix.as_ptr(), out) })
    }

    /// Sets the value under a key. Does not wait until the store has taken it: for a moment, another connection may read what
    /// was there before.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), NativeError> {
        let key = c_text(key)?;
        // SAFETY: key and value live for the call.
        check(unsafe { ffi::eng_store_set(self.0.as_ptr(), key.as_ptr(), value.as_ptr(), value.len()) })
    }

    /// Sets the value under a key if there is none yet; gives the one that is there: for all who call it, that of the first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn set_first(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, NativeError> {
        let name = c_text(key)?;
        // SAFETY: key and value live for the call.
        check(unsafe { ffi::eng_store_set_first(self.0.as_ptr(), name.as_ptr(), value.as_ptr(), value.len()) })?;
        Ok(self.get(key)?.unwrap_or_default())
    }

    /// The value under a key, cut after 64 KiB; `None` when there is none. Does not wait for one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, NativeError> {
        let key = c_text(key)?;
        let (mut found, mut length) = (false, 0);
        let mut value = vec![0; MOST];
        // SAFETY: the key and the buffer of this capacity live for the call.
        let read = unsafe {
            ffi::eng_store_get(self.0.as_ptr(), key.as_ptr(), &mut found, value.as_mut_ptr(), value.len(), &mut length)
        };
        check(read)?;
        value.truncate(length);
        Ok(found.then_some(value))
    }

    /// Adds to the number under a key, which is 0 at first; gives the sum.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn add(&self, key: &str, number: i64) -> Result<i64, NativeError> {
        let key = c_text(key)?;
        let mut sum = 0;
        // SAFETY: the key lives for the call.
        check(unsafe { ffi::eng_store_add(self.0.as_ptr(), key.as_ptr(), number, &mut sum) })?;
        Ok(sum)
    }

    pub(super) fn raw(&self) -> *const RawStore {
        self.0.as_ptr()
    }

    fn made(make: impl FnOnce(*mut *mut RawStore) -> std::ffi::c_int) -> Result<Store, NativeError> {
        let mut raw = null_mut();
        check(make(&mut raw))?;
        NonNull::new(raw).map(Store).ok_or_else(|| NativeError::argument("libtorch made no store"))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone, freed once.
        unsafe { ffi::eng_store_free(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn what_one_connection_sets_another_one_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = Store::serve(listener, SOON).unwrap();
        let other = Store::connect("127.0.0.1", port, SOON).unwrap();
        assert_eq!(other.get("a").unwrap(), None);
        served.set("a", b"one").unwrap();
        // libtorch does not wait until the store has taken it
        let since = Instant::now();
        let found = loop {
            match other.get("a").unwrap() {
                None if since.elapsed() < SOON => std::thread::sleep(Duration::from_millis(1)),
                found => break found,
            }
        };
        assert_eq!(found.unwrap(), b"one");
        let prefixed = other.prefixed("job").unwrap();
        assert_eq!((prefixed.get("a").unwrap(), prefixed.add("n", 2).unwrap()), (None, 2));
        assert_eq!((prefixed.add("n", 3).unwrap(), served.add("n", 1).unwrap()), (5, 1));
        let firsts = [&prefixed, &other, &prefixed, &served].map(|store| store.set_first("f", b"mine").unwrap());
        assert_eq!(firsts, [b"mine"; 4]);
        assert_eq!(served.set_first("f", b"other").unwrap(), b"mine");
        assert_eq!(other.set_first("a", b"two").unwrap(), b"one");
    }

    #[test]
    fn a_store_that_nobody_serves_is_an_error_in_time() {
        // a port that was free a moment ago
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let since = Instant::now();
        let error = Store::connect("127.0.0.1", port, Duration::from_secs(1)).unwrap_err();
        assert!(since.elapsed() < SOON, "{error}");
    }
}
