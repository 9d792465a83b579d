//! Which operator gives the first number that is not finite.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::ptr::null;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The first operators whose results were not finite, each with the shape of its result; `None` while there was none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstNotFinite {
    /// Of a NaN.
    pub nan: Option<String>,
    /// Of an infinity, but for operators that fill a tensor with a given number, as masks of attention are made.
    pub infinite: Option<String>,
}

/// Looks at the result of every operator of this thread, and of the backward that it calls. It reads from the device after each
/// operator, so it is for the search of a fault. One watch lives at a time: a second one waits.
///
/// ```
/// use engine::native::FiniteWatch;
/// use engine::prelude::*;
///
/// let watch = FiniteWatch::begin()?;
/// let x = Tensor::from_slice(&[1.0f32, 0.0]);
/// let loss = (&x / 2.0).log().sum(Kind::Float);
/// assert_eq!(watch.found().infinite.unwrap(), "`aten::log` with a result of shape [2]");
/// assert_eq!(watch.found().nan, None);
/// let _ = &loss - &loss;
/// assert_eq!(watch.found().nan.unwrap(), "`aten::sub` with a result of shape []");
/// # Ok::<(), engine::native::NativeError>(())
/// ```
#[derive(Debug)]
pub struct FiniteWatch {
    _one: MutexGuard<'static, ()>,
    // the callback belongs to the thread that has added it
    _not_send: PhantomData<*const ()>,
}

static ONE: Mutex<()> = Mutex::new(());

impl FiniteWatch {
    /// Begins.
    ///
    /// # Errors
    /// None that is known; libtorch's are passed on.
    pub fn begin() -> Result<Self, NativeError> {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: takes nothing; the lock says that there is no other watch.
        check(unsafe { ffi::eng_finite_begin() })?;
        Ok(FiniteWatch { _one: one, _not_send: PhantomData })
    }

    /// What was found so far.
    pub fn found(&self) -> FirstNotFinite {
        let (mut nan, mut infinite) = (null(), null());
        // SAFETY: the pointers are to live locals.
        unsafe { ffi::eng_finite_found(&mut nan, &mut infinite) };
        FirstNotFinite { nan: text(nan), infinite: text(infinite) }
    }
}

impl Drop for FiniteWatch {
    fn drop(&mut self) {
        // SAFETY: takes nothing.
        unsafe { ffi::eng_finite_end() };
    }
}

fn text(pointer: *const c_char) -> Option<String> {
    // SAFETY: a pointer that is not null is to a text that holds until something else is found on this thread, which is
    // busy here.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn the_first_operator_is_named_in_forward_and_in_backward() {
        let x = Tensor::from_slice(&[1.0f32, 0.0]).set_requires_grad(true);
        let watch = FiniteWatch::begin().unwrap();
        // the root of 0 is finite, its slope is not
        let loss = x.sqrt().sum(Kind::Float);
        assert_eq!(watch.found(), FirstNotFinite::default());
        loss.backward();
        let found = watch.found();
        assert_eq!((found.infinite.as_deref(), found.nan), (Some("`aten::div` with a result of shape [2]"), None));
        drop(watch);
        // a second one begins anew
        assert_eq!(FiniteWatch::begin().unwrap().found(), FirstNotFinite::default());
    }

    #[test]
    fn masks_and_memory_that_is_not_written_yet_are_passed_over() {
        let watch = FiniteWatch::begin().unwrap();
        let mask = Tensor::from_slice(&[true, false]);
        let scores = Tensor::ones([2], (Kind::Float, Device::Cpu)).masked_fill(&mask, f64::NEG_INFINITY);
        let _ = Tensor::empty([1 << 12], (Kind::Float, Device::Cpu));
        assert_eq!(scores.softmax(0, Kind::Float).double_value(&[1]), 1.0);
        assert_eq!(watch.found(), FirstNotFinite::default());
        // without a watch nothing is looked at
        drop(watch);
        let _ = scores.log();
    }
}
