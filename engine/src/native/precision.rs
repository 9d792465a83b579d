//! Lower precision: libtorch's autocast, the kernels of dynamic loss scaling, layouts, and how products are computed.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawList};
use crate::native::foreach::{owned, with_lists};
use crate::native::tensor_list::TensorList;
use serde::{Deserialize, Serialize};
use std::ffi::c_int;
use std::marker::PhantomData;
use tch::{Device, Kind, Tensor};

/// While it lives, operators of this thread on tensors of one device run in lower precision where libtorch holds that for
/// safe (matrix products, convolutions), or run as they are. It puts back what it found, also when a panic passes.
///
/// ```
/// use engine::native::Autocast;
/// use engine::prelude::*;
///
/// let x = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
/// let product = {
///     let _lower = Autocast::on(Device::Cpu, Kind::BFloat16)?;
///     x.matmul(&x)
/// };
/// assert_eq!((product.kind(), x.matmul(&x).kind()), (Kind::BFloat16, Kind::Float));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[must_use = "autocast ends when the guard is dropped"]
pub struct Autocast {
    device_type: c_int,
    enabled: bool,
    dtype: c_int,
    // autocast belongs to the thread, so the guard must not leave it
    _not_send: PhantomData<*const ()>,
}

impl Autocast {
    /// Runs operators of the device's type in this kind, `BFloat16` or `Half`.
    ///
    /// # Errors
    /// When autocast does not know the device or the kind.
    pub fn on(device: Device, kind: Kind) -> Result<Self, NativeError> {
        let dtype = match kind {
            Kind::Half => HALF,
            Kind::BFloat16 => BFLOAT16,
            _ => return Err(NativeError::argument(format!("autocast takes `Half` or `BFloat16`, got `{kind:?}`"))),
        };
        Autocast::enter(device, true, dtype)
    }

    /// Runs operators of the device's type in the kinds of their tensors.
    ///
    /// # Errors
    /// When autocast does not know the device.
    pub fn off(device: Device) -> Result<Self, NativeError> {
        Autocast::enter(device, false, BFLOAT16)
    }

    fn enter(device: Device, enabled: bool, dtype: c_int) -> Result<Self, NativeError> {
        let device_type = match device {
            Device::Cpu => 0,
            Device::Cuda(_) => 1,
            other => return Err(NativeError::argument(format!("there is no autocast for {other:?}"))),
        };
        let (mut enabled_before, mut dtype_before) = (false, 0);
        // SAFETY: both pointers are to live locals; the rest are plain values.
        check(unsafe { ffi::eng_autocast_enter(device_type, enabled, dtype, &mut enabled_before, &mut dtype_before) })?;
        Ok(Autocast { device_type, enabled: enabled_before, dtype: dtype_before, _not_send: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: sets thread-locals of libtorch to what they were.
        unsafe { ffi::eng_autocast_leave(self.device_type, self.enabled, self.dtype) }
    }
}

/// While it lives, autocast on this thread casts a parameter anew at each use. A recorded step needs this: a cast that is
/// kept would lie in memory of its graph. It changes the bits of a gradient where a parameter is used several times, since
/// each use has its own cast.
#[derive(Debug)]
#[must_use = "autocast keeps casts again when the guard is dropped"]
pub struct AutocastCacheOff {
    before: bool,
    // the switch belongs to the thread
    _not_send: PhantomData<*const ()>,
}

impl AutocastCacheOff {
    /// Switches the cache off.
    #[expect(clippy::new_without_default, reason = "a guard is made on purpose")]
    pub fn new() -> Self {
        // SAFETY: sets a thread-local of libtorch.
        let before = unsafe { ffi::eng_set_autocast_cache(false) };
        AutocastCacheOff { before, _not_send: PhantomData }
    }
}

impl Drop for AutocastCacheOff {
    fn drop(&mut self) {
        // SAFETY: sets a thread-local of libtorch.
        unsafe { ffi::eng_set_autocast_cache(self.before) };
    }
}

/// `c10::ScalarType::Half`.
const HALF: c_int = 5;
/// `c10::ScalarType::BFloat16`.
const BFLOAT16: c_int = 15;

/// Multiplies the gradients of all lists by `inv_scale`, a 0-d `Float`, and sets `found_inf`, a `Float` of one element, to 1
/// where a gradient is infinite or NaN. Nothing is read from the device.
///
/// # Errors
/// When a gradient is sparse, of kind `Half`, or on another device.
pub fn amp_unscale_<'a>(
    parameters: impl IntoIterator<Item = &'a TensorList>,
    found_inf: &mut Tensor,
    inv_scale: &Tensor,
) -> Result<(), NativeError> {
    with_lists(parameters, |lists: *const *const RawList, count| {
        // SAFETY: `lists` points to `count` live lists, and the tensors are borrowed for the call.
        check(unsafe { ffi::eng_amp_unscale(lists, count, found_inf.as_mut_ptr(), inv_scale.as_ptr()) })
    })
}

/// The next scale of a loss, in place: halved where the last gradient was not finite, doubled after so many finite ones in
/// a row. `scale` is a 0-d `Float`, `tracker` a 0-d `Int` that counts them.
///
/// # Errors
/// When a tensor has another kind or lies on another device.
pub fn amp_update_scale_(
    scale: &mut Tensor,
    tracker: &mut Tensor,
    found_inf: &Tensor,
    rule: ScaleRule,
) -> Result<(), NativeError> {
    // SAFETY: the tensors are three, and borrowed for the call.
    check(unsafe {
        ffi::eng_amp_update_scale(
            scale.as_mut_ptr(),
            tracker.as_mut_ptr(),
            found_inf.as_ptr(),
            rule.growth,
            rule.backoff,
            rule.interval,
        )
    })
}

/// How a loss's scale changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleRule {
    /// The factor after enough finite gradients, above 1.
    pub growth: f64,
    /// The factor after a gradient that is not finite, below 1.
    pub backoff: f64,
    /// How many finite gradients in a row are enough.
    pub interval: i64,
}

/// The tensor with its channels last in memory: `[n, c, h, w]` in shape, n × h × w × c in memory. Tensors without four
/// dimensions come back as they are.
///
/// # Errors
/// When there is no memory.
pub fn channels_last(tensor: &Tensor) -> Result<Tensor, NativeError> {
    // SAFETY: the entry writes a new tensor.
    owned(|out| unsafe { ffi::eng_channels_last(tensor.as_ptr(), out) })
}

/// How matrix products of `Float` tensors are computed, as PyTorch's `set_float32_matmul_precision`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatmulPrecision {
    /// In `Float` throughout.
    #[default]
    Highest,
    /// By TF32 (10 bits of mantissa), or by two `BFloat16`, where the device has fast units for that.
    High,
    /// By one `BFloat16`, where the device has fast units for that.
    Medium,
}

/// Sets for the whole process how products of `Float` tensors are computed, and whether cuDNN's convolutions may use TF32.
///
/// # Errors
/// None that is known; libtorch's are passed on.
pub fn set_float_precision(matmul: MatmulPrecision, cudnn_tf32: bool) -> Result<(), NativeError> {
    // SAFETY: takes plain values.
    check(unsafe { ffi::eng_set_float_precision(matmul as c_int, cudnn_tf32) })
}

/// Sets for the whole process whether cuDNN tries its algorithms for each new shape and takes the fastest.
///
/// # Errors
/// None that is known; libtorch's are passed on.
pub fn set_cudnn_benchmark(benchmark: bool) -> Result<(), NativeError> {
    // SAFETY: takes a plain value.
    check(unsafe { ffi::eng_set_cudnn_benchmark(benchmark) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> Kind {
        let x = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        x.matmul(&x).kind()
    }

    #[test]
    fn autocast_comes_back_when_a_panic_passes_and_can_be_off_within() {
        let unwound = std::panic::catch_unwind(|| {
            let _lower = Autocast::on(Device::Cpu, Kind::BFloat16).unwrap();
            assert_eq!(product(), Kind::BFloat16);
            {
                let _full = Autocast::off(Device::Cpu).unwrap();
                assert_eq!(product(), Kind::Float);
            }
            assert_eq!(product(), Kind::BFloat16);
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(unwound.is_err());
        assert_eq!(product(), Kind::Float);
    }

    #[test]
    fn autocast_refuses_kinds_that_are_no_lower_precision() {
        assert!(Autocast::on(Device::Cpu, Kind::Double).unwrap_err().text.contains("got `Double`"));
    }

    #[test]
    fn gradients_are_unscaled_and_an_infinite_one_is_found_where_it_is() {
        let weight = Tensor::from_slice(&[1.0f32, 2.0]).set_requires_grad(true);
        let list = TensorList::new([&weight]).unwrap();
        let mut found = Tensor::zeros([1], (Kind::Float, Device::Cpu));
        (&weight * 8.0).sum(Kind::Float).backward();
        amp_unscale_([&list], &mut found, &Tensor::from(0.25f32)).unwrap();
        assert_eq!(Vec::<f32>::try_from(weight.grad()).unwrap(), [2.0, 2.0]);
        assert_eq!(found.double_value(&[0]), 0.0);
        (&weight * f64::INFINITY).sum(Kind::Float).backward();
        amp_unscale_([&list], &mut found, &Tensor::from(0.25f32)).unwrap();
        assert_eq!(found.double_value(&[0]), 1.0);
    }

    #[test]
    fn channels_last_changes_the_memory_and_no_number() {
        let image = Tensor::arange(24, (Kind::Float, Device::Cpu)).reshape([1, 2, 3, 4]);
        let laid = channels_last(&image).unwrap();
        assert_eq!((laid.size(), laid.stride()), (image.size(), vec![24, 1, 8, 2]));
        assert_eq!(laid, image);
        assert_eq!(channels_last(&image.flatten(0, 3)).unwrap().stride(), [1]);
    }
}
