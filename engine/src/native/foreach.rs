//! Operations on whole lists of tensors at once, one kernel launch instead of one per tensor.
//!
//! Those on gradients pass over parameters that have none.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawList};
use crate::native::tensor_list::TensorList;
use std::ffi::c_int;
use std::ptr::{null, null_mut};
use tch::Tensor;
use torch_sys::C_tensor;

/// The 2-norm of the gradients of all lists, as if they were one vector: a 0-d tensor, not read from the device.
///
/// # Errors
/// When a gradient is sparse.
pub fn grad_norm<'a>(parameters: impl IntoIterator<Item = &'a TensorList>) -> Result<Tensor, NativeError> {
    with_lists(parameters, |lists, count| {
        owned(|norm| {
            // SAFETY: `lists` points to `count` live lists, borrowed for the call.
            unsafe { ffi::eng_grad_norm(lists, count, norm) }
        })
    })
}

/// Scales the gradients of all lists so that their `p`-norm as one vector is at most `max_norm`; gives the norm before.
///
/// The factor is `min(1, max_norm / (norm + 1e-6))`, as in PyTorch's `clip_grad_norm_`, and stays on the device.
///
/// # Errors
/// When a gradient is sparse.
pub fn clip_grad_norm_<'a>(
    parameters: impl IntoIterator<Item = &'a TensorList>,
    max_norm: f64,
    p: f64,
) -> Result<Tensor, NativeError> {
    with_lists(parameters, |lists, count| {
        owned(|norm| {
            // SAFETY: `lists` points to `count` live lists, borrowed for the call.
            unsafe { ffi::eng_clip_grad_norm(lists, count, max_norm, p, norm) }
        })
    })
}

/// Scales each gradient by itself so that its `p`-norm is at most `max_norm`, with the factor of [`clip_grad_norm_`]; gives
/// the norm that all of them had as one vector.
///
/// # Errors
/// When a gradient is sparse.
pub fn clip_grad_norms_(parameters: &TensorList, max_norm: f64, p: f64) -> Result<Tensor, NativeError> {
    owned(|norm| {
        // SAFETY: the list is borrowed for the call.
        unsafe { ffi::eng_clip_grad_norms(parameters.raw(), max_norm, p, norm) }
    })
}

/// Scales the gradient of each output of a parameter, an index of its first dimension, so that its 2-norm is at most `factor`
/// times that of its weights; weights of a norm below `eps` count as of that norm. A parameter of at most one dimension is
/// one output (adaptive gradient clipping: Brock et al., 2021).
///
/// # Errors
/// When a gradient is sparse.
pub fn clip_grad_adaptive_(parameters: &TensorList, factor: f64, eps: f64) -> Result<(), NativeError> {
    // SAFETY: the list is borrowed for the call.
    check(unsafe { ffi::eng_clip_grad_adaptive(parameters.raw(), factor, eps) })
}

/// Limits every element of the gradients of all lists to `-max..=max`.
///
/// # Errors
/// When a gradient is sparse.
pub fn clip_grad_value_<'a>(parameters: impl IntoIterator<Item = &'a TensorList>, max: f64) -> Result<(), NativeError> {
    with_lists(parameters, |lists, count| {
        // SAFETY: `lists` points to `count` live lists, borrowed for the call.
        check(unsafe { ffi::eng_clip_grad_value(lists, count, max) })
    })
}

/// Multiplies the gradients.
///
/// # Errors
/// When a gradient is sparse.
pub fn scale_grads_(parameters: &TensorList, factor: f64) -> Result<(), NativeError> {
    // SAFETY: the list is borrowed for the call.
    check(unsafe { ffi::eng_scale_grads(parameters.raw(), factor) })
}

/// Lets go of the gradients; the next backward writes them instead of adding.
///
/// # Errors
/// None that is known; libtorch's are passed on.
pub fn zero_grad(parameters: &TensorList) -> Result<(), NativeError> {
    // SAFETY: the list is borrowed for the call.
    check(unsafe { ffi::eng_zero_grad(parameters.raw()) })
}

/// Moves every tensor of `into` by `weight` of the way towards its partner: `into += weight · (towards - into)`.
///
/// # Errors
/// When the lists differ in length or in a shape, or a tensor has an integer kind.
pub fn foreach_lerp_(into: &mut TensorList, towards: &TensorList, weight: f64) -> Result<(), NativeError> {
    // SAFETY: both lists are borrowed for the call, and they are two, for one is borrowed mutably.
    check(unsafe { ffi::eng_foreach_lerp(into.raw_mut(), towards.raw(), weight) })
}

/// As [`foreach_lerp_`], by a weight of one element that is not read from its device. At a weight of 0 nothing moves.
///
/// # Errors
/// As [`foreach_lerp_`].
pub fn foreach_lerp_by_(into: &mut TensorList, towards: &TensorList, weight: &Tensor) -> Result<(), NativeError> {
    // SAFETY: both lists are borrowed for the call, and they are two, for one is borrowed mutably; the weight is borrowed.
    check(unsafe { ffi::eng_foreach_lerp_by(into.raw_mut(), towards.raw(), weight.as_ptr()) })
}

/// 1 when a number is infinite or NaN, else 0: a 0-d float on the number's device, not read from it.
///
/// # Errors
/// When memory runs out.
pub fn not_finite(number: &Tensor) -> Result<Tensor, NativeError> {
    owned(|out| {
        // SAFETY: the tensor is borrowed for the call.
        unsafe { ffi::eng_not_finite(number.as_ptr(), out) }
    })
}

/// Copies the values of every tensor of `from` into its partner; devices and kinds may differ.
///
/// # Errors
/// When the lists differ in length or in a shape.
pub fn foreach_copy_(into: &mut TensorList, from: &TensorList) -> Result<(), NativeError> {
    // SAFETY: both lists are borrowed for the call, and they are two, for one is borrowed mutably.
    check(unsafe { ffi::eng_foreach_copy(into.raw_mut(), from.raw()) })
}

/// The tensor that an entry writes to its `out` argument.
pub(super) fn owned(entry: impl FnOnce(*mut *mut C_tensor) -> c_int) -> Result<Tensor, NativeError> {
    let mut tensor = null_mut();
    check(entry(&mut tensor))?;
    if tensor.is_null() {
        return Err(NativeError::argument("libtorch gave no tensor"));
    }
    // SAFETY: an entry that reports success has written a tensor of its own that nobody else frees.
    Ok(unsafe { Tensor::from_ptr(tensor) })
}

/// The most lists that are passed without allocating: one per optimizer of a trainer.
const FEW: usize = 8;

pub(super) fn with_lists<'a, R>(
    lists: impl IntoIterator<Item = &'a TensorList>,
    call: impl FnOnce(*const *const RawList, usize) -> R,
) -> R {
    let mut few = [null(); FEW];
    let mut count = 0;
    let mut lists = lists.into_iter();
    for (slot, list) in few.iter_mut().zip(&mut lists) {
        *slot = list.raw();
        count += 1;
    }
    // a zip asks its left side first, so no list was lost when the array was full
    let rest: Vec<*const RawList> = lists.map(TensorList::raw).collect();
    if rest.is_empty() {
        return call(few.as_ptr(), count);
    }
    let all = [few.as_slice(), &rest].concat();
    call(all.as_ptr(), all.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::ErrorKind;
    use tch::{Device, Kind};

    fn parameter(gradient: Option<&[f32]>) -> Tensor {
        let parameter = Tensor::zeros([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        if let Some(gradient) = gradient {
            (&parameter * Tensor::from_slice(gradient)).sum(Kind::Float).backward();
        }
        parameter
    }

    #[test]
    fn the_norm_spans_all_lists_and_passes_over_missing_gradients() {
        let (a, b, without) = (parameter(Some(&[3.0, 0.0])), parameter(Some(&[0.0, 4.0])), parameter(None));
        let first = TensorList::new([&a, &without]).unwrap();
        let second = TensorList::new([&b]).unwrap();
        let norm = clip_grad_norm_([&first, &second], 1.0, 2.0).unwrap();
        assert_eq!(norm.size(), Vec::<i64>::new());
        assert_eq!(norm.double_value(&[]), 5.0);
        assert!((grad_norm([&first, &second]).unwrap().double_value(&[]) - 1.0).abs() < 1e-6);
        assert!(!without.grad().defined());
    }

    #[test]
    fn gradients_of_every_kind_and_layout_are_scaled_as_by_an_operator() {
        let numbers = |kind| (Tensor::arange(24, (Kind::Double, Device::Cpu)) * 0.37).sin().to_kind(kind);
        let shapes = [
            numbers(Kind::Float),
            numbers(Kind::Float).reshape([4, 6]).transpose(0, 1),
            numbers(Kind::Float).narrow(0, 0, 0),
            numbers(Kind::Double),
            numbers(Kind::BFloat16),
            // as many as libtorch divides among threads
            Tensor::arange(40_000, (Kind::Float, Device::Cpu)).cos(),
        ];
        let parameters = shapes.map(|gradient| {
            let parameter = gradient.zeros_like().set_requires_grad(true);
            (&parameter * &gradient).sum(gradient.kind()).backward();
            parameter
        });
        let before: Vec<Tensor> = parameters.iter().map(|parameter| parameter.grad().copy()).collect();
        let total = clip_grad_norm_([&TensorList::new(&parameters).unwrap()], 0.7, 2.0).unwrap();
        assert!(total.double_value(&[]) > 100.0);
        let factor: Tensor = 0.7 / (total + 1e-6);
        for (parameter, before) in parameters.iter().zip(before) {
            let (scaled, expected) = (parameter.grad(), before.g_mul(&factor).to_kind(before.kind()));
            assert_eq!(scaled, expected, "{:?} {:?}", scaled.kind(), scaled.size());
        }
    }

    #[test]
    fn more_lists_than_a_trainer_has_are_all_counted() {
        let lists: Vec<TensorList> =
            (0..FEW + 8).map(|_| TensorList::new([&parameter(Some(&[1.0, 0.0]))]).unwrap()).collect();
        assert_eq!(grad_norm(&lists).unwrap().double_value(&[]), 4.0);
    }

    #[test]
    fn without_any_gradient_the_norm_is_zero() {
        let list = TensorList::new([&parameter(None)]).unwrap();
        assert_eq!(clip_grad_norm_([&list], 1.0, 2.0).unwrap().double_value(&[]), 0.0);
        clip_grad_value_([&list], 1.0).unwrap();
        scale_grads_(&list, 2.0).unwrap();
    }

    #[test]
    fn cleared_gradients_are_undefined() {
        let a = parameter(Some(&[3.0, 0.0]));
        zero_grad(&TensorList::new([&a]).unwrap()).unwrap();
        assert!(!a.grad().defined());
    }

    #[test]
    fn lerp_moves_in_place_by_its_weight() {
        let mut into = TensorList::new([&Tensor::from_slice(&[0.0f32, 10.0])]).unwrap();
        let towards = TensorList::new([&Tensor::from_slice(&[4.0f32, 10.0])]).unwrap();
        foreach_lerp_(&mut into, &towards, 0.25).unwrap();
        assert_eq!(Vec::<f32>::try_from(into.get(0).unwrap().unwrap()).unwrap(), [1.0, 10.0]);
    }

    #[test]
    fn lerp_by_a_weight_on_the_device_is_lerp_by_its_number() {
        for weight in [0.25, 0.0] {
            let mut into = TensorList::new([&Tensor::from_slice(&[0.0f32, 10.0])]).unwrap();
            let towards = TensorList::new([&Tensor::from_slice(&[4.0f32, 20.0])]).unwrap();
            foreach_lerp_by_(&mut into, &towards, &Tensor::from(weight)).unwrap();
            let expected = [4.0 * weight as f32, 10.0 + 10.0 * weight as f32];
            assert_eq!(Vec::<f32>::try_from(into.get(0).unwrap().unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_finite_is_told_as_a_float() {
        for (number, expected) in [(1.0f32, 0.0), (f32::INFINITY, 1.0), (f32::NEG_INFINITY, 1.0), (f32::NAN, 1.0)] {
            let told = not_finite(&Tensor::from(number)).unwrap();
            assert_eq!((told.kind(), told.double_value(&[])), (Kind::Float, expected), "{number}");
        }
    }

    #[test]
    fn copy_converts_kinds_and_refuses_another_shape() {
        let mut into = TensorList::new([&Tensor::from_slice(&[0.0f32, 0.0])]).unwrap();
        foreach_copy_(&mut into, &TensorList::new([&Tensor::from_slice(&[1.5f64, 2.0])]).unwrap()).unwrap();
        assert_eq!(Vec::<f32>::try_from(into.get(0).unwrap().unwrap()).unwrap(), [1.5, 2.0]);
        let error = foreach_copy_(&mut into, &TensorList::new([&Tensor::from_slice(&[1.0f32])]).unwrap()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Argument);
        assert!(error.text.contains("tensor 0 of shape [2] (Float, cpu) has another shape"), "{error}");
    }

    #[test]
    fn lists_of_another_length_are_refused() {
        let mut into = TensorList::new([&Tensor::from(0.0)]).unwrap();
        let error = foreach_lerp_(&mut into, &TensorList::undefined(0).unwrap(), 0.5).unwrap_err();
        assert_eq!(error.text, "the lists have 1 and 0 tensors; they must have as many");
    }
}
