//! A list of tensors that lies ready for libtorch's multi-tensor operators.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawList};
use std::fmt;
use std::ptr::{NonNull, null, null_mut};
use tch::Tensor;

/// Tensors kept as the contiguous list that libtorch takes, so that a step neither builds nor counts them anew.
///
/// It holds shallow clones: a parameter that is updated in place is updated here too. An entry may be
/// undefined, as the optimizer state of a parameter that had no gradient yet.
pub struct TensorList {
    raw: NonNull<RawList>,
    len: usize,
}

// SAFETY: the list is a C++ vector of reference-counted handles whose counts are atomic; it is owned by this
// value alone and tied to no thread, just as `tch::Tensor`, which is `Send`. It is not `Sync`: what the
// handles refer to is changed through shared references.
unsafe impl Send for TensorList {}

impl TensorList {
    /// A list of shallow clones.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn new<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<Self, NativeError> {
        let handles = tensors.into_iter().map(Tensor::as_ptr).collect::<Vec<_>>();
        Self::from_handles(&handles)
    }

    /// A list of undefined entries.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn undefined(len: usize) -> Result<Self, NativeError> {
        Self::from_handles(&vec![null(); len])
    }

    fn from_handles(handles: &[*const torch_sys::C_tensor]) -> Result<Self, NativeError> {
        let mut raw = null_mut();
        // SAFETY: each handle is null or a live tensor borrowed by the caller for this call, the pointer and
        // length are those of one slice, and `raw` is written before success is reported.
        check(unsafe { ffi::eng_list_new(handles.as_ptr(), handles.len(), &mut raw) })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no list"))?;
        Ok(TensorList { raw, len: handles.len() })
    }

    /// Takes over a list that an entry of the shim has made.
    ///
    /// # Safety
    /// The pointer is null, or that of a list that nobody else frees.
    pub(super) unsafe fn from_raw(raw: *mut RawList) -> Result<Self, NativeError> {
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no list"))?;
        // SAFETY: a list that is not null is live.
        let len = unsafe { ffi::eng_list_len(raw.as_ptr()) };
        Ok(TensorList { raw, len })
    }

    /// The number of entries, undefined ones included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A shallow clone of the entry; `None` when it is undefined.
    ///
    /// # Errors
    /// When `index` is not below [`TensorList::len`].
    pub fn get(&self, index: usize) -> Result<Option<Tensor>, NativeError> {
        self.check_index(index)?;
        let mut tensor = null_mut();
        // SAFETY: the list lives as long as `self`, and `tensor` is written before success is reported.
        check(unsafe { ffi::eng_list_get(self.raw.as_ptr(), index, &mut tensor) })?;
        // SAFETY: a non-null result is a tensor of its own that nobody else frees.
        Ok((!tensor.is_null()).then(|| unsafe { Tensor::from_ptr(tensor) }))
    }

    /// Replaces the entry by a shallow clone, or makes it undefined.
    ///
    /// # Errors
    /// When `index` is not below [`TensorList::len`].
    pub fn set(&mut self, index: usize, tensor: Option<&Tensor>) -> Result<(), NativeError> {
        self.check_index(index)?;
        let handle = tensor.map_or(null(), Tensor::as_ptr);
        // SAFETY: the list is borrowed mutably, the handle is null or a tensor that outlives the call.
        check(unsafe { ffi::eng_list_set(self.raw.as_ptr(), index, handle) })
    }

    fn check_index(&self, index: usize) -> Result<(), NativeError> {
        if index < self.len {
            return Ok(());
        }
        Err(NativeError::argument(format!("there is no tensor {index} in a list of {}", self.len)))
    }

    pub(super) fn raw(&self) -> *const RawList {
        self.raw.as_ptr()
    }

    pub(super) fn raw_mut(&mut self) -> *mut RawList {
        self.raw.as_ptr()
    }
}

impl Drop for TensorList {
    fn drop(&mut self) {
        // SAFETY: made by `eng_list_new`, owned by `self` alone, freed once.
        unsafe { ffi::eng_list_free(self.raw.as_ptr()) }
    }
}

impl fmt::Debug for TensorList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TensorList({} tensors)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn an_entry_shares_its_memory_with_the_tensor_it_was_made_of() {
        let mut tensor = Tensor::zeros([2], (Kind::Float, Device::Cpu));
        let list = TensorList::new([&tensor]).unwrap();
        let _ = tensor.fill_(3.0);
        assert_eq!(list.get(0).unwrap().unwrap().double_value(&[1]), 3.0);
    }

    #[test]
    fn entries_come_and_go() {
        let mut list = TensorList::undefined(2).unwrap();
        assert!(list.get(1).unwrap().is_none());
        list.set(1, Some(&Tensor::from(5.0))).unwrap();
        assert_eq!(list.get(1).unwrap().unwrap().double_value(&[]), 5.0);
        list.set(1, None).unwrap();
        assert!(list.get(1).unwrap().is_none());
        assert_eq!(list.get(2).unwrap_err().text, "there is no tensor 2 in a list of 2");
    }
}
