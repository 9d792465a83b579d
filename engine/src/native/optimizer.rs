//! libtorch's fused optimizer kernels: one launch updates every parameter of a list.
//!
//! A parameter without a gradient is passed over and its state left as it is. State that isn't there yet is
//! made when the parameter's first gradient comes. All parameters of one call lie on one device and have one
//! kind. No value is read from the device, with the one exception that [`fused_sgd`] names, and the shim's own lists keep
//! their memory between calls.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use crate::native::options::{AdagradOptions, AdamOptions, SgdOptions};
use crate::native::tensor_list::TensorList;
use std::ptr::{null, null_mut};
use tch::Tensor;
use torch_sys::C_tensor;

/// The inputs of a step that only the device knows: the arguments `grad_scale` and `found_inf` of libtorch's fused
/// optimizers, and a learning rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scaling<'a> {
    /// Gradients are divided by it, in place, before they are used: one float on the parameters' device.
    pub grad_scale: Option<&'a Tensor>,
    /// 1 where the step must not happen, else 0: one float on the parameters' device. At 1, parameters, state and
    /// gradients stay as they are, to the bit.
    pub found_inf: Option<&'a Tensor>,
    /// The learning rate, in place of that of the options: one float on the parameters' device. A recorded step
    /// ([`Graph`](super::Graph)) follows a changing rate by it.
    pub rate: Option<&'a Tensor>,
}

impl Scaling<'_> {
    /// The tensors as the shim takes them.
    pub(super) fn handles(&self) -> [*const C_tensor; 3] {
        [self.grad_scale, self.found_inf, self.rate].map(|tensor| tensor.map_or(null(), Tensor::as_ptr))
    }
}

/// One update by Adam or AdamW; each state list has as many entries as `parameters`.
#[derive(Debug)]
pub struct AdamStep<'a> {
    /// What is updated, in place.
    pub parameters: &'a TensorList,
    /// Running means of the gradients, shaped as the parameters.
    pub exp_avgs: &'a mut TensorList,
    /// Running means of the squared gradients, shaped as the parameters.
    pub exp_avg_sqs: &'a mut TensorList,
    /// The largest of `exp_avg_sqs` so far; needed with [`AdamOptions::amsgrad`].
    pub max_exp_avg_sqs: Option<&'a mut TensorList>,
    /// Numbers of updates done: 0-d float tensors on the parameters' device.
    pub steps: &'a mut TensorList,
    /// The numbers of this update.
    pub options: AdamOptions,
    /// Whether gradients are scaled, and whether the update happens.
    pub scaling: Scaling<'a>,
}

/// One update by stochastic gradient descent.
#[derive(Debug)]
pub struct SgdStep<'a> {
    /// What is updated, in place.
    pub parameters: &'a TensorList,
    /// As many entries as `parameters`; left alone while the momentum is zero.
    pub momentum_buffers: &'a mut TensorList,
    /// The numbers of this update.
    pub options: SgdOptions,
    /// Whether gradients are scaled, and whether the update happens.
    pub scaling: Scaling<'a>,
}

/// One update by Adagrad.
#[derive(Debug)]
pub struct AdagradStep<'a> {
    /// What is updated, in place.
    pub parameters: &'a TensorList,
    /// Sums of the squared gradients, shaped as the parameters.
    pub sums: &'a mut TensorList,
    /// Numbers of updates done: 0-d float tensors on the parameters' device.
    pub steps: &'a mut TensorList,
    /// The numbers of this update.
    pub options: AdagradOptions,
    /// Whether gradients are scaled, and whether the update happens. A rate on the device is not used.
    pub scaling: Scaling<'a>,
}

/// Updates the parameters by Adagrad (Duchi et al., 2011), as PyTorch's `torch.optim.Adagrad` with `fused=True`.
///
/// # Errors
/// As [`fused_adam`].
pub fn fused_adagrad(step: AdagradStep<'_>) -> Result<(), NativeError> {
    let [grad_scale, found_inf, _] = step.scaling.handles();
    // SAFETY: all lists live through the call; the two that are written are borrowed mutably, so no two are one; the
    // options have the layout of `EngAdagradOptions`; the tensors of `scaling` are null or borrowed for the call.
    check(unsafe {
        ffi::eng_fused_adagrad(
            step.parameters.raw(),
            step.sums.raw_mut(),
            step.steps.raw_mut(),
            &step.options,
            grad_scale,
            found_inf,
        )
    })
}

/// Updates the parameters by Adam (Kingma and Ba, 2015) or AdamW (Loshchilov and Hutter, 2019), as PyTorch's
/// `torch.optim.Adam` and `AdamW` with `fused=True`. An update that [`Scaling::found_inf`] leaves out is not counted in
/// `steps`. On CUDA the learning rate is rounded to a float, as a rate on the device is one.
///
/// # Errors
/// When lists differ in length, a state doesn't fit its parameter, parameters differ in device or kind, a gradient is
/// sparse, or a tensor of `scaling` is not a float of one element on the parameters' device. Nothing is updated then.
pub fn fused_adam(step: AdamStep<'_>) -> Result<(), NativeError> {
    let max_exp_avg_sqs = step.max_exp_avg_sqs.map_or(null_mut(), TensorList::raw_mut);
    let [grad_scale, found_inf, rate] = step.scaling.handles();
    // SAFETY: all lists live through the call; the four that are written are borrowed mutably, so no two are
    // one; the options have the layout of `EngAdamOptions`; the tensors of `scaling` are null or borrowed for the call.
    check(unsafe {
        ffi::eng_fused_adam(
            step.parameters.raw(),
            step.exp_avgs.raw_mut(),
            step.exp_avg_sqs.raw_mut(),
            max_exp_avg_sqs,
            step.steps.raw_mut(),
            &step.options,
            grad_scale,
            found_inf,
            rate,
        )
    })
}

/// Updates the parameters by stochastic gradient descent, as PyTorch's `torch.optim.SGD` with `fused=True`.
///
/// With [`Scaling::found_inf`], momentum and dampening, the device is read until a first update has happened: the first
/// gradient enters the momentum undampened, and whether there was one, only the device knows.
///
/// # Errors
/// As [`fused_adam`].
pub fn fused_sgd(step: SgdStep<'_>) -> Result<(), NativeError> {
    let [grad_scale, found_inf, rate] = step.scaling.handles();
    // SAFETY: both lists live through the call and are two, for one is borrowed mutably; the options have the
    // layout of `EngSgdOptions`; the tensors of `scaling` are null or borrowed for the call.
    check(unsafe {
        ffi::eng_fused_sgd(
            step.parameters.raw(),
            step.momentum_buffers.raw_mut(),
            &step.options,
            grad_scale,
            found_inf,
            rate,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::ErrorKind;
    use tch::{Device, Kind, Tensor};

    const PLAIN: SgdOptions =
        SgdOptions { lr: 0.5, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false };

    fn parameter(kind: Kind) -> Tensor {
        let parameter = Tensor::ones([2, 3], (kind, Device::Cpu)).set_requires_grad(true);
        parameter.sum(kind).backward();
        parameter
    }

    fn sgd(parameters: &[&Tensor], momentum: f64, state: &mut TensorList) -> Result<(), NativeError> {
        let parameters = TensorList::new(parameters.iter().copied()).unwrap();
        fused_sgd(SgdStep {
            parameters: &parameters,
            momentum_buffers: state,
            options: SgdOptions { momentum, ..PLAIN },
            scaling: Scaling::default(),
        })
    }

    #[test]
    fn state_is_made_only_for_parameters_with_a_gradient() {
        let frozen = Tensor::ones([2], (Kind::Float, Device::Cpu));
        let mut buffers = TensorList::undefined(2).unwrap();
        sgd(&[&frozen, &parameter(Kind::Float)], 0.9, &mut buffers).unwrap();
        assert!(buffers.get(0).unwrap().is_none());
        assert_eq!(buffers.get(1).unwrap().unwrap().size(), [2, 3]);
        assert_eq!(Vec::<f32>::try_from(frozen).unwrap(), [1.0, 1.0]);
    }

    #[test]
    fn a_state_of_another_shape_or_kind_is_an_error() {
        for state in
            [Tensor::zeros([3, 2], (Kind::Float, Device::Cpu)), Tensor::zeros([2, 3], (Kind::Half, Device::Cpu))]
        {
            let error = sgd(&[&parameter(Kind::Float)], 0.9, &mut TensorList::new([&state]).unwrap()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Argument);
            assert!(error.text.contains("does not fit parameter 0 of shape [2, 3] (Float, cpu)"), "{error}");
        }
    }

    #[test]
    fn parameters_of_two_kinds_or_devices_are_an_error_and_nothing_moves() {
        let (float, double) = (parameter(Kind::Float), parameter(Kind::Double));
        let error = sgd(&[&float, &double], 0.0, &mut TensorList::undefined(2).unwrap()).unwrap_err();
        assert!(error.text.contains("differ in device or kind"), "{error}");
        assert_eq!(float.sum(Kind::Float).double_value(&[]), 6.0);
        // a parameter that moved away from its state
        let list = TensorList::new([&Tensor::zeros([2, 3], (Kind::Float, Device::Cpu))]).unwrap();
        let mut lists = [
            list,
            TensorList::undefined(1).unwrap(),
            TensorList::new([&Tensor::zeros([1], (Kind::Float, Device::Cpu))]).unwrap(),
        ];
        let [exp_avgs, exp_avg_sqs, steps] = &mut lists;
        let parameters = TensorList::new([&float]).unwrap();
        let options = AdamOptions {
            lr: 0.1,
            beta1: 0.9,
            beta2: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled: true,
            amsgrad: false,
            maximize: false,
        };
        let scaling = Scaling::default();
        let step =
            AdamStep { parameters: &parameters, exp_avgs, exp_avg_sqs, max_exp_avg_sqs: None, steps, options, scaling };
        assert!(fused_adam(step).unwrap_err().text.contains("no 0-d float tensor"));
    }

    #[test]
    fn a_gradient_laid_out_otherwise_is_used_element_by_element() {
        // a transposed parameter: its memory order is not that of the gradient that was put beside it
        let parameter = Tensor::zeros([3, 2], (Kind::Float, Device::Cpu)).tr().detach().set_requires_grad(true);
        let gradient = Tensor::arange(6, (Kind::Float, Device::Cpu)).reshape([2, 3]);
        (&parameter * &gradient).sum(Kind::Float).backward();
        sgd(&[&parameter], 0.0, &mut TensorList::undefined(1).unwrap()).unwrap();
        assert!(parameter.detach().allclose(&(gradient * -0.5), 0.0, 0.0, false));
    }

    #[test]
    fn a_view_with_gaps_is_refused() {
        let parameter = Tensor::zeros([1, 3], (Kind::Float, Device::Cpu)).expand([2, 3], false).set_requires_grad(true);
        parameter.sum(Kind::Float).backward();
        let error = sgd(&[&parameter], 0.0, &mut TensorList::undefined(1).unwrap()).unwrap_err();
        assert!(error.text.contains("view with gaps"), "{error}");
    }
}
