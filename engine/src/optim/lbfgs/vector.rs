//! All parameters as one vector.

use crate::base::Result;
use crate::native::{TensorList, foreach_copy_};
use tch::Tensor;

/// The gradient of all parameters as one vector; zeros where there is none.
pub(super) fn gradient(parameters: &[Tensor]) -> Result<Tensor> {
    let part = |parameter: &Tensor| {
        let gradient = parameter.grad();
        let gradient = match (gradient.defined(), gradient.defined() && gradient.is_sparse()) {
            (false, _) => parameter.f_zeros_like()?,
            (true, true) => gradient.f_to_dense(None, false)?,
            (true, false) => gradient,
        };
        gradient.f_detach()?.f_flatten(0, -1)
    };
    let parts: Vec<Tensor> = tch::no_grad(|| parameters.iter().map(part).collect::<Result<_, tch::TchError>>())?;
    Ok(Tensor::f_cat(&parts, 0)?)
}

/// Moves the parameters by `step` times a direction. Frozen ones stay.
pub(super) fn move_by(parameters: &[Tensor], direction: &Tensor, step: f64) -> Result<()> {
    let (mut begin, mut moved, mut by) = (0, Vec::new(), Vec::new());
    for parameter in parameters {
        let len = parameter.numel() as i64;
        if parameter.requires_grad() {
            by.push(direction.f_narrow(0, begin, len)?.f_view_as(parameter)?);
            moved.push(parameter);
        }
        begin += len;
    }
    Ok(TensorList::new(moved)?.add_(&TensorList::new(&by)?, step)?)
}

/// `into += value * other`.
pub(super) fn add(into: &Tensor, other: &Tensor, value: f64) -> Result<()> {
    Ok(TensorList::new([into])?.add_(&TensorList::new([other])?, value)?)
}

/// Copies of the parameters, to come back to.
pub(super) fn copies(parameters: &[Tensor]) -> Result<TensorList> {
    Ok(TensorList::new(parameters)?.copied()?)
}

/// Puts the parameters back.
pub(super) fn put_back(parameters: &[Tensor], copies: &TensorList) -> Result<()> {
    Ok(foreach_copy_(&mut TensorList::new(parameters)?, copies)?)
}

/// The product of two vectors, on the host.
pub(super) fn dot(one: &Tensor, other: &Tensor) -> Result<f64> {
    Ok(f64::try_from(one.f_dot(other)?)?)
}

/// The largest size of an element, on the host.
pub(super) fn largest(vector: &Tensor) -> Result<f64> {
    Ok(f64::try_from(vector.f_abs()?.f_max()?)?)
}
