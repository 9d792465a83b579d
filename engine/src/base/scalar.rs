//! Numbers and flags that may still be on the device.

use crate::base::error::Result;
use tch::{Kind, Tensor};

/// One number: known on the host, or a 0-d tensor that is read only on request.
///
/// ```
/// use engine::base::Scalar;
/// use tch::Tensor;
///
/// let loss = Tensor::from_slice(&[1.0f32, 3.0]).mean(tch::Kind::Float);
/// let kept = Scalar::from(&loss); // nothing is read yet
/// assert_eq!(kept.read()?, 2.0);
/// assert_eq!(Scalar::from(0.5).read()?, 0.5);
/// # Ok::<(), tch::TchError>(())
/// ```
#[derive(Debug)]
pub enum Scalar {
    /// Known on the host.
    Number(f64),
    /// A detached tensor of one element, on any device.
    Lazy(Tensor),
}

impl Scalar {
    /// Returns the number. When it is lazy, this reads from the device and waits for it.
    ///
    /// # Errors
    /// When the tensor has not exactly one element, or libtorch fails.
    pub fn read(&self) -> Result<f64, tch::TchError> {
        match self {
            Scalar::Number(number) => Ok(*number),
            Scalar::Lazy(tensor) => f64::try_from(tensor.f_to_kind(Kind::Double)?),
        }
    }
}

impl Scalar {
    /// The same with what `copy` makes of its tensor.
    pub(crate) fn copied(&self, copy: &mut dyn FnMut(&Tensor) -> Result<Tensor>) -> Result<Scalar> {
        Ok(match self {
            Scalar::Number(number) => Scalar::Number(*number),
            Scalar::Lazy(tensor) => Scalar::Lazy(copy(tensor)?),
        })
    }
}

impl Clone for Scalar {
    fn clone(&self) -> Self {
        match self {
            Scalar::Number(number) => Scalar::Number(*number),
            Scalar::Lazy(tensor) => Scalar::Lazy(tensor.shallow_clone()),
        }
    }
}

impl From<f64> for Scalar {
    fn from(number: f64) -> Self {
        Scalar::Number(number)
    }
}

/// The tensor is detached, so that a recorded number never keeps a graph alive.
impl From<&Tensor> for Scalar {
    fn from(tensor: &Tensor) -> Self {
        Scalar::Lazy(tensor.detach())
    }
}

impl From<Tensor> for Scalar {
    fn from(tensor: Tensor) -> Self {
        Scalar::from(&tensor)
    }
}

/// True or false: known on the host, or known only on the device until it is read.
#[derive(Debug)]
pub enum Flag {
    /// Known on the host.
    Known(bool),
    /// A detached tensor of one element, on any device: 0 is false, everything else is true.
    Lazy(Tensor),
}

impl Flag {
    /// The value, if it is known on the host.
    pub fn known(&self) -> Option<bool> {
        match self {
            Flag::Known(answer) => Some(*answer),
            Flag::Lazy(_) => None,
        }
    }

    /// Returns the value. When it is lazy, this reads from the device and waits for it.
    ///
    /// # Errors
    /// When the tensor has not exactly one element, or libtorch fails.
    pub fn read(&self) -> Result<bool, tch::TchError> {
        match self {
            Flag::Known(answer) => Ok(*answer),
            Flag::Lazy(tensor) => Ok(f64::try_from(tensor.f_to_kind(Kind::Double)?)? != 0.0),
        }
    }
}

impl Clone for Flag {
    fn clone(&self) -> Self {
        match self {
            Flag::Known(answer) => Flag::Known(*answer),
            Flag::Lazy(tensor) => Flag::Lazy(tensor.shallow_clone()),
        }
    }
}
