//! One number for each parameter of a list, on the device.
//!
//! The count of updates differs from parameter to parameter, and where an update may be left out, only the device knows it.
//! So what follows from it is computed there, in `Double`.

use crate::native::{ErrorKind, NativeError, TensorList};
use crate::optim::algorithm::StepInputs;
use crate::optim::foreach::average_squares;
use tch::{Device, TchError, Tensor};

/// Computes numbers from numbers.
pub(super) fn of_each(
    numbers: &Tensor,
    formula: impl FnOnce(&Tensor) -> Result<Tensor, TchError>,
) -> Result<Tensor, NativeError> {
    tch::no_grad(|| formula(numbers)).map_err(|error| NativeError {
        kind: ErrorKind::Libtorch,
        text: error.to_string(),
        item: None,
    })
}

/// `base` to the power of each.
pub(super) fn power(base: f64, exponents: &Tensor) -> Result<Tensor, TchError> {
    Tensor::f_pow_scalar(base, exponents)
}

/// `1 - decay^count`: the part that a running mean, which starts at 0, has of all gradients.
pub(super) fn left_out(decay: f64, counts: &Tensor) -> Result<Tensor, TchError> {
    power(decay, counts)?.f_neg()?.f_add_scalar(1.0)
}

/// The length of a parameter divided by that of its step; 1 where either is 0.
pub(super) fn trust(parameters: &Tensor, steps: &Tensor) -> Result<Tensor, NativeError> {
    of_each(parameters, |parameters| {
        let both = parameters.f_gt(0.0)?.f_logical_and(&steps.f_gt(0.0)?)?;
        parameters.f_div(steps)?.f_where_self(&both, &Tensor::f_ones_like(parameters)?)
    })
}

/// Numbers that follow from the tensors' shapes.
pub(super) fn own_numbers(list: &TensorList, number: impl Fn(&Tensor) -> f64) -> Result<Tensor, NativeError> {
    let mut numbers = Vec::with_capacity(list.len());
    let mut device = Device::Cpu;
    for index in 0..list.len() {
        let Some(tensor) = list.get(index)? else { continue };
        device = tensor.device();
        numbers.push(number(&tensor));
    }
    of_each(&Tensor::from_slice(&numbers), |numbers| numbers.f_to_device(device))
}

/// Takes the gradients into the running means of Adam: of them, and of their squares.
pub(super) fn take_in(
    means: &mut TensorList,
    squares: &mut TensorList,
    gradients: &TensorList,
    inputs: &StepInputs<'_>,
) -> Result<(), NativeError> {
    means.lerp_(gradients, 1.0 - inputs.setting("beta1")?)?;
    average_squares(squares, gradients, inputs.setting("beta2")?)
}

/// What Adam divides by: the root of the mean of squares, which starts at 0 and is therefore too small at first, and `eps`.
pub(super) fn adam_divisor(
    squares: &TensorList,
    counts: &Tensor,
    inputs: &StepInputs<'_>,
) -> Result<TensorList, NativeError> {
    let beta2 = inputs.setting("beta2")?;
    let mut divisor = squares.sqrt()?;
    divisor.mul_by_(&of_each(counts, |counts| left_out(beta2, counts)?.f_rsqrt())?)?;
    divisor.add_scalar_(inputs.setting("eps")?)?;
    Ok(divisor)
}

/// The steps of Adam (Kingma and Ba, 2015) for a learning rate of 1: the gradients are taken into both running means.
/// `counts` are those of the updates, this one included.
pub(super) fn adam_steps(
    means: &mut TensorList,
    squares: &mut TensorList,
    gradients: &TensorList,
    counts: &Tensor,
    inputs: &StepInputs<'_>,
) -> Result<TensorList, NativeError> {
    let beta1 = inputs.setting("beta1")?;
    take_in(means, squares, gradients, inputs)?;
    let divisor = adam_divisor(squares, counts, inputs)?;
    let mut steps = means.copied()?;
    steps.mul_by_(&of_each(counts, |counts| left_out(beta1, counts)?.f_reciprocal())?)?;
    steps.div_(&divisor)?;
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn a_parameter_or_a_step_of_zeros_is_not_scaled() {
        let (parameters, steps) = (Tensor::from_slice(&[2.0f64, 0.0, 3.0]), Tensor::from_slice(&[4.0f64, 1.0, 0.0]));
        assert_eq!(Vec::<f64>::try_from(trust(&parameters, &steps).unwrap()).unwrap(), [0.5, 1.0, 1.0]);
    }

    #[test]
    fn the_left_out_part_goes_to_one() {
        let found = left_out(0.5, &Tensor::from_slice(&[1.0f64, 2.0, 60.0])).unwrap();
        assert_eq!(found.kind(), Kind::Double);
        assert_eq!(Vec::<f64>::try_from(found).unwrap(), [0.5, 0.75, 1.0 - 0.5f64.powi(60)]);
    }
}
