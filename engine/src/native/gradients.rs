//! Which tensors take gradients, and backward from any of them.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use crate::native::tensor_list::TensorList;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tch::Tensor;

/// Runs backward once from tensors of any shape whose own gradients are known: adds the gradients of the leaves that they
/// were computed from. `gradients` has one for each tensor, of its shape.
///
/// # Errors
/// When a tensor has no graph, a gradient another shape, or their numbers differ. An operator's backward may fail.
pub fn backward_from(tensors: &[&Tensor], gradients: &[&Tensor]) -> Result<(), NativeError> {
    if tensors.len() != gradients.len() {
        let (tensors, gradients) = (tensors.len(), gradients.len());
        return Err(NativeError::argument(format!("{tensors} tensors and {gradients} gradients for a backward")));
    }
    let pointers = |list: &[&Tensor]| list.iter().map(|tensor| tensor.as_ptr()).collect::<Vec<_>>();
    let (tensors, gradients) = (pointers(tensors), pointers(gradients));
    // SAFETY: all tensors are borrowed for the call, and the arrays have the same length.
    check(unsafe { ffi::eng_backward_from(tensors.as_ptr(), gradients.as_ptr(), tensors.len()) })
}

/// Lets a tensor that is computed from others keep its gradient: `tensor.grad()` has it after a backward.
///
/// # Errors
/// When the tensor takes no gradient.
pub fn retain_grad(tensor: &Tensor) -> Result<(), NativeError> {
    // SAFETY: the tensor is borrowed for the call.
    check(unsafe { ffi::eng_retain_grad(tensor.as_ptr()) })
}

/// Leaf tensors whose gradients can be switched off for a while; by default there are none.
#[derive(Debug, Default)]
pub struct GradientSwitch(Option<Arc<Mutex<Switched>>>);

#[derive(Debug)]
struct Switched {
    list: TensorList,
    /// Those that a guard has switched off.
    off: Vec<bool>,
    /// Whether a guard lives.
    held: bool,
}

/// While it lives, operations on the tensors of a [`GradientSwitch`] record nothing for backward. Those that took
/// gradients before take them again when it is dropped, also when a panic unwinds.
#[derive(Debug)]
#[must_use = "gradients are on again when the guard is dropped"]
pub struct GradientsOff(Option<Arc<Mutex<Switched>>>);

impl GradientSwitch {
    /// A switch for these tensors, on.
    pub fn new(list: TensorList) -> Self {
        let off = vec![false; list.len()];
        GradientSwitch(Some(Arc::new(Mutex::new(Switched { list, off, held: false }))))
    }

    /// Switches off. While a guard lives, a second one does nothing.
    ///
    /// # Errors
    /// None that is known; libtorch's are passed on.
    pub fn off(&self) -> Result<GradientsOff, NativeError> {
        let Some(shared) = &self.0 else { return Ok(GradientsOff(None)) };
        let mut switched = lock(shared);
        if switched.held {
            return Ok(GradientsOff(None));
        }
        switched.held = true;
        let Switched { list, off, .. } = &mut *switched;
        off.fill(false);
        // SAFETY: the list is locked for the call, and `off` has a place for each of its tensors.
        let result = check(unsafe { ffi::eng_requires_grad_off(list.raw(), off.as_mut_ptr()) });
        drop(switched);
        // a guard also after a failure: what was switched off by then goes on again
        let guard = GradientsOff(Some(Arc::clone(shared)));
        result.map(|()| guard)
    }
}

impl Drop for GradientsOff {
    fn drop(&mut self) {
        let Some(switched) = self.0.take() else { return };
        let mut switched = lock(&switched);
        switched.held = false;
        let Switched { list, off, .. } = &mut *switched;
        // SAFETY: the list is locked for the call, and `off` has a place for each of its tensors.
        let on = unsafe { ffi::eng_requires_grad_on(list.raw(), off.as_ptr()) };
        debug_assert_eq!(on, 0, "a leaf can always take gradients");
    }
}

/// A panic elsewhere leaves the flags whole: each call ends before anything can unwind.
fn lock(switched: &Mutex<Switched>) -> MutexGuard<'_, Switched> {
    switched.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn leaf(requires_grad: bool) -> Tensor {
        Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(requires_grad)
    }

    #[test]
    fn gradients_come_back_where_they_were_when_a_panic_passes() {
        let (on, off) = (leaf(true), leaf(false));
        let switch = GradientSwitch::new(TensorList::new([&on, &off]).unwrap());
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _off = switch.off().unwrap();
            assert!(!on.requires_grad() && !on.sqrt().requires_grad());
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(unwound.is_err());
        assert_eq!((on.requires_grad(), off.requires_grad()), (true, false));
    }

    #[test]
    fn a_second_guard_ends_nothing() {
        let on = leaf(true);
        let switch = GradientSwitch::new(TensorList::new([&on]).unwrap());
        let first = switch.off().unwrap();
        drop(switch.off().unwrap());
        assert!(!on.requires_grad());
        drop(first);
        assert!(on.requires_grad());
    }

    #[test]
    fn backward_goes_on_from_gradients_that_are_given() {
        let leaf = leaf(true);
        let (double, triple) = (&leaf * 2.0, &leaf * 3.0);
        let given = [Tensor::from_slice(&[1.0f32, 2.0]), Tensor::from_slice(&[10.0f32, 0.0])];
        backward_from(&[&double, &triple], &[&given[0], &given[1]]).unwrap();
        assert_eq!(Vec::<f32>::try_from(leaf.grad()).unwrap(), [32.0, 4.0]);
        assert!(backward_from(&[&leaf.detach()], &[&given[0]]).is_err());
        assert!(backward_from(&[&double], &[]).unwrap_err().text.contains("1 tensors and 0 gradients"));
    }
}
