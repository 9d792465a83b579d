//! The begin of an update that is written with operations on lists: what has a gradient, and its state.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawSlot};
use crate::native::optimizer::Scaling;
use crate::native::tensor_list::TensorList;
use std::ptr::null_mut;

/// The shape of one type of state, and the value that it starts with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewState {
    /// The shape and kind.
    pub shape: StateShape,
    /// The value of all elements.
    pub initial: f64,
}

/// The shape and kind of a parameter's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateShape {
    /// Those of the parameter.
    LikeParameter,
    /// A 0-d float: the updates so far.
    Count,
    /// A 0-d float.
    Number,
    /// `[.., n, 1]` of a parameter `[.., n, m]`; one of fewer dimensions has none.
    Rows,
    /// `[.., 1, m]` of a parameter `[.., n, m]`; one of fewer dimensions has none.
    Columns,
    /// Those of a parameter of at most one dimension; one of more has none.
    Vector,
    /// Those of a parameter that has not two dimensions; a matrix has none.
    NoMatrix,
}

/// What an update works on: the parameters that have a gradient.
#[derive(Debug)]
pub struct Begun {
    /// They are changed in place.
    pub parameters: TensorList,
    /// Their gradients, unscaled.
    pub gradients: TensorList,
    /// Their state, one list per type; entries of parameters without that state are undefined.
    pub state: Vec<TensorList>,
}

/// Takes the parameters that have a gradient, and unscales the gradients in place. State that is not there yet is made.
/// `None`: there is nothing to update, or the host can see that `found_inf` is 1; then nothing was changed. The host sees it
/// on the CPU alone.
///
/// # Errors
/// When lists differ in length, a state doesn't fit its parameter, or a gradient is sparse.
pub fn begin_update(
    parameters: &TensorList,
    state: &mut [TensorList],
    new: &[NewState],
    scaling: Scaling<'_>,
) -> Result<Option<Begun>, NativeError> {
    if new.len() != state.len() {
        return Err(NativeError::argument("an optimizer was given the state of another one"));
    }
    let lists: Vec<_> = state.iter_mut().map(TensorList::raw_mut).collect();
    let slots: Vec<RawSlot> =
        new.iter().map(|slot| RawSlot { shape: slot.shape as i32, initial: slot.initial }).collect();
    let mut taken = vec![null_mut(); 2 + new.len()];
    let mut happens = false;
    let [grad_scale, found_inf, _] = scaling.handles();
    // SAFETY: all lists live through the call, and those that are written are borrowed mutably, so no two are one; the slots
    // have the layout of `EngSlot`, and both slices have `new.len()` entries; the tensors of `scaling` are null or borrowed;
    // `taken` has room for two lists and one per slot, all written before success is reported.
    check(unsafe {
        ffi::eng_update_begin(
            parameters.raw(),
            lists.as_ptr(),
            slots.as_ptr(),
            slots.len(),
            grad_scale,
            found_inf,
            taken.as_mut_ptr(),
            &mut happens,
        )
    })?;
    let mut lists = Vec::with_capacity(taken.len());
    for raw in taken {
        // SAFETY: the entry has made these lists for its caller.
        lists.push(unsafe { TensorList::from_raw(raw) }?);
    }
    let state = lists.split_off(2);
    let (Some(gradients), Some(parameters)) = (lists.pop(), lists.pop()) else {
        return Err(NativeError::argument("libtorch made no list"));
    };
    Ok((happens && !parameters.is_empty()).then_some(Begun { parameters, gradients, state }))
}

/// Adds 1 to each count of updates.
///
/// # Errors
/// When an entry is undefined.
pub fn count_update(counts: &mut TensorList) -> Result<(), NativeError> {
    // SAFETY: the list is borrowed mutably for the call.
    check(unsafe { ffi::eng_update_count(counts.raw_mut()) })
}
